"""Makes probe_cases.json: features, labels, and what scikit-learn's LogisticRegression makes of them.

Run by hand with scikit-learn 1.9.1 and numpy installed: python make_probe_cases.py > probe_cases.json

Its tolerance is set as low as it goes. With two classes scikit-learn has one column of weights; ours has two of half the size
each, and the same probabilities where C is twice ours, so probabilities are what is compared.
"""
import json

import numpy as np
from sklearn.linear_model import LogisticRegression

random = np.random.default_rng(20261130)


def case(name, images, features, classes, strength, spread=1.0, constant=False):
    labels = np.arange(images) % classes
    centres = random.normal(size=(classes, features)) * spread
    values = np.round(centres[labels] + random.normal(size=(images, features)), 3)
    if constant:
        values[:, 0] = 2.5
    model = LogisticRegression(C=strength * (2 if classes == 2 else 1), solver="newton-cg", tol=1e-12, max_iter=10000)
    model.fit(values, labels)
    return {"name": name, "classes": classes, "strength": strength, "features": values.tolist(), "labels": labels.tolist(),
            "probabilities": model.predict_proba(values).tolist(),
            "weights": model.coef_.tolist() if classes > 2 else None,
            "bias": model.intercept_.tolist() if classes > 2 else None}


print(json.dumps([
    case("three classes", 45, 6, 3, 1.0),
    case("two classes", 30, 5, 2, 0.3),
    case("more features than images", 12, 20, 4, 0.01),
    case("hardly held back, apart", 24, 4, 3, 100.0, spread=4.0),
    case("held back hard", 30, 4, 5, 1e-4),
    case("a feature that never changes", 30, 4, 3, 1.0, constant=True),
]))
