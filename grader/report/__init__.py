"""Reports: `results.json` is the truth; every page and table is made from it alone.

results/<student>/results.json    Gradescope's schema, our own facts under extra_data
results/<student>/feedback.html   what the student reads
results/class.html                the class at a glance
results/class_pages               what a person reads, a page a question
results/grades.csv                one line a student
results/run.json                  what was run, with what
"""

from grader.report.class_page import class_page
from grader.report.course import write_class, write_class_page
from grader.report.feedback import feedback_page
from grader.report.files import folder_name, write_atomically
from grader.report.grades import grades_csv
from grader.report.results import overall_status, results_json
from grader.report.terminal import grades_table

__all__ = [
    "class_page",
    "feedback_page",
    "folder_name",
    "grades_csv",
    "grades_table",
    "overall_status",
    "results_json",
    "write_atomically",
    "write_class",
    "write_class_page",
]
