"""A search over hyperparameters that a Python program drives: `tune` suggests, the program trains.

    import tune

    def objective(trial):
        return (trial["x"] - 2) ** 2

    study = tune.Study({"x": tune.Float(-10, 10)})
    study.optimize(objective, trials=30)
    print(study.best.value, study.best.parameters)
"""
from .errors import (ConflictError, Error, Exhausted, MustWait, NoResult, ProgramError, SpecError, Stopped,
                     UsageError)
from .parameters import Categorical, Float, Int
from .study import Study
from .trial import Trial, TrialRecord

__all__ = ["Categorical", "ConflictError", "Error", "Exhausted", "Float", "Int", "MustWait", "NoResult", "ProgramError",
           "SpecError", "Stopped", "Study", "Trial", "TrialRecord", "UsageError"]
