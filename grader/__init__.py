"""The grader: a student's file goes in, a score nobody can forge comes out.

 submission.zip                                         who runs it, what it trusts
      |  intake      check the archive, copy nothing we did not ask for     grader: bytes only
      v
  Submission         student, notebook bytes, configs, sha256
      |  notebook    find the `# AUTOGRADED` cells; parse, never run        grader: text only
      v
  Reading            for each task: cell number, source
      |  sandbox     ==== zygote forks ====>  run cells, call probes        child: student code
      |              <==== tensors as bytes =====   no reference exists here
      v
  SandboxRun         for each call: status, tensors decoded as data
      |  compare     load the references; shape, dtype, finiteness, values  grader: child is gone
      v
  Verdict[]          status, points, one sentence
      |  quality     notebook 2 only: train the model again in the sandbox   child, then grader
      |  trained     measure the weights that were handed in                 grader: numbers only
      |  report      results.json  ->  feedback.html, grades.csv
      v
  results/

One direction, one public function a stage, one frozen record (`grader.records`) between each pair of stages.
`pipeline.Grader` calls the stages in this order; the command line (`cli`) and pytest (`conftest`) are fronts over it.
This file imports nothing: the sandboxed process imports the package too, and must not hold the grader's parts.
"""

__version__ = "0.1.0"
