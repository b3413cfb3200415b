"""What is asked of a student's functions, one module an assignment.

A probe runs in the student's process: it calls the student's code with inputs that the grader sent and returns what
came back. Student code can read this source, so a probe holds no expected value, no reference code and no judgement.

    def D_KL(names, mu, logvar):
        return {"value": names["D_KL"](mu, logvar)}

`names` is the notebook's namespace after the question's cell; the inputs arrive as torch tensors.
"""
