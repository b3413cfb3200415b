"""The stages of a submission, in the order of `grader.stages.pipeline`; `grader.records` lie between them."""
