"""Twelve small models of scikit-learn on its bundled data, cross-validated, to be tuned as in the black-box challenge.

Every evaluation is kept in .cache/bench-models.sqlite under its parameters, rounded to three digits, so that a second run
costs nothing.
"""
import json
import sqlite3
import warnings

import numpy as np

from bench_support import ROOT
from strategies_problems import Problem


def real(low, high, scale="linear"):
    return {"type": "float", "min": low, "max": high, "scale": scale}


def whole(low, high, scale="linear"):
    return {"type": "int", "min": low, "max": high, "scale": scale}


def one_of(*values):
    return {"type": "categorical", "values": list(values)}


SVM = {"C": real(1e-3, 1e3, "log"), "gamma": real(1e-6, 10, "log"), "tol": real(1e-5, 1e-1, "log")}
MLP = {"hidden_layer_sizes": whole(4, 64, "log"), "alpha": real(1e-6, 10, "log"), "learning_rate_init": real(1e-4, 0.3, "log"),
       "beta_1": real(0.5, 0.99, "reverse_log"), "batch_size": whole(8, 128, "log"), "activation": one_of("relu", "tanh", "logistic")}
FOREST = {"max_depth": whole(1, 15), "max_features": real(0.05, 1.0), "min_samples_split": real(0.01, 0.5),
          "min_samples_leaf": real(0.005, 0.3), "criterion": one_of("gini", "entropy")}
BOOSTING = {"learning_rate": real(1e-3, 1.0, "log"), "n_estimators": whole(4, 40, "log"), "max_depth": whole(1, 6),
            "subsample": real(0.2, 1.0), "max_features": real(0.1, 1.0), "min_samples_leaf": whole(1, 40, "log")}
NET = {"alpha": real(1e-4, 10, "log"), "l1_ratio": real(0.01, 1.0), "selection": one_of("cyclic", "random")}
LASSO = {"alpha": real(1e-4, 10, "log"), "tol": real(1e-5, 1e-1, "log"), "degree": whole(1, 2), "fit_intercept": one_of(True, False)}
LOGISTIC = {"C": real(1e-4, 1e4, "log"), "tol": real(1e-6, 1e-1, "log"), "intercept_scaling": real(0.01, 100, "log"),
            "class_weight": one_of(None, "balanced"), "penalty": one_of("l1", "l2")}
NEIGHBOURS = {"n_neighbors": whole(1, 40, "log"), "weights": one_of("uniform", "distance"),
              "metric": one_of("euclidean", "manhattan", "chebyshev"), "components": whole(2, 40, "log")}
SVR = {"C": real(1e-2, 1e3, "log"), "gamma": real(1e-5, 10, "log"), "epsilon": real(1e-3, 1.0, "log")}

# name, data, rows at most, space, scorer of scikit-learn, folds
TABLE = [
    ("svm-digits", "digits", 400, SVM, "accuracy", 3),
    ("svm-breast_cancer", "breast_cancer", 569, SVM, "accuracy", 3),
    ("mlp-digits", "digits", 300, MLP, "neg_log_loss", 2),
    ("mlp-wine", "wine", 178, MLP, "neg_log_loss", 2),
    ("forest-wine", "wine", 178, FOREST, "neg_log_loss", 3),
    ("forest-breast_cancer", "breast_cancer", 569, FOREST, "neg_log_loss", 3),
    ("boosting-diabetes", "diabetes", 442, BOOSTING, "neg_mean_squared_error", 3),
    ("boosting-iris", "iris", 150, BOOSTING, "neg_log_loss", 2),
    ("lasso-diabetes", "diabetes", 442, LASSO, "neg_mean_squared_error", 3),
    ("logistic-breast_cancer", "breast_cancer", 569, LOGISTIC, "neg_log_loss", 3),
    ("neighbours-digits", "digits", 500, NEIGHBOURS, "accuracy", 3),
    ("svr-diabetes", "diabetes", 442, SVR, "neg_mean_squared_error", 3),
]


def estimator(name, p):
    from sklearn.decomposition import PCA
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier
    from sklearn.linear_model import Lasso, LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler
    from sklearn.svm import SVC, SVR as Regressor
    model, data = name.split("-")
    if model == "svm":
        return make_pipeline(StandardScaler(), SVC(**p))
    if model == "svr":
        # The target varies by tens; the widths of the tube are of its standard deviation.
        return make_pipeline(StandardScaler(), Regressor(C=p["C"] * 77, gamma=p["gamma"], epsilon=p["epsilon"] * 77))
    if model == "mlp":
        return make_pipeline(StandardScaler(), MLPClassifier(**p, max_iter=12, random_state=0))
    if model == "forest":
        return RandomForestClassifier(n_estimators=10, random_state=0, **p)
    if model == "boosting":
        kind = GradientBoostingRegressor if data == "diabetes" else GradientBoostingClassifier
        return kind(random_state=0, **p)
    if model == "lasso":
        lasso = Lasso(alpha=p["alpha"], tol=p["tol"], fit_intercept=p["fit_intercept"], max_iter=200)
        return make_pipeline(PolynomialFeatures(p["degree"], include_bias=False), StandardScaler(), lasso)
    if model == "logistic":
        rest = {key: value for key, value in p.items() if key != "penalty"}
        ratio = 1.0 if p["penalty"] == "l1" else 0.0
        return make_pipeline(StandardScaler(), LogisticRegression(solver="liblinear", max_iter=50, l1_ratio=ratio, **rest))
    rest = {key: value for key, value in p.items() if key != "components"}
    return make_pipeline(StandardScaler(), PCA(p["components"], random_state=0), KNeighborsClassifier(**rest))


class Evaluations:
    """The cache: what a point's cross-validation gave, by problem and rounded parameters."""

    def __init__(self):
        path = ROOT / ".cache" / "bench-models.sqlite"
        path.parent.mkdir(exist_ok=True)
        self.database = sqlite3.connect(path, isolation_level=None, timeout=60)
        self.database.execute("pragma journal_mode=wal")
        self.database.execute("create table if not exists evaluation (point text primary key, value real) without rowid")
        self.data = {}

    def loaded(self, data, rows):
        from sklearn import datasets
        if (data, rows) not in self.data:
            x, y = getattr(datasets, "load_" + data)(return_X_y=True)
            chosen = np.random.default_rng(0).permutation(len(y))[:rows]
            self.data[data, rows] = x[chosen], y[chosen]
        return self.data[data, rows]

    def value(self, name, data, rows, scorer, folds, parameters):
        rounded = {key: float(f"{value:.3g}") if isinstance(value, float) else value for key, value in parameters.items()}
        point = json.dumps([name, rounded], sort_keys=True)
        known = self.database.execute("select value from evaluation where point = ?", (point,)).fetchone()
        if known:
            return known[0]
        from sklearn.model_selection import cross_val_score
        x, y = self.loaded(data, rows)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            value = -float(np.mean(cross_val_score(estimator(name, rounded), x, y, scoring=scorer, cv=folds)))
        self.database.execute("insert or replace into evaluation values (?, ?)", (point, value))
        return value


def models():
    evaluations = Evaluations()

    def problem(name, data, rows, space, scorer, folds):
        return Problem(name, space, lambda p: evaluations.value(name, data, rows, scorer, folds, p), None)
    return [problem(*row) for row in TABLE]
