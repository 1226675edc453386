"""Small trainings of scikit-learn, LightGBM and NumPy whose learning curves the benchmark of the stop rules replays.

Each takes a tenth of a second to a second. A training is a generator: it yields its validation loss after every step.
"""
import dataclasses
import warnings
from collections.abc import Callable

import numpy as np


def real(low, high, scale="linear"):
    return {"type": "float", "min": low, "max": high, "scale": scale}


def whole(low, high, scale="linear"):
    return {"type": "int", "min": low, "max": high, "scale": scale}


def one_of(*values):
    return {"type": "categorical", "values": list(values)}


NET = {"learning_rate": real(1e-3, 1.0, "log"), "momentum": real(0.5, 0.99, "reverse_log"), "batch_size": whole(8, 128, "log"),
       "width": whole(8, 128, "log"), "weight_decay": real(1e-6, 1e-1, "log"), "schedule": one_of("constant", "cosine")}
MLP = {"learning_rate_init": real(1e-4, 1e-1, "log"), "alpha": real(1e-5, 10, "log"), "hidden_layer_sizes": whole(4, 96, "log"),
       "batch_size": whole(8, 128, "log"), "activation": one_of("relu", "tanh", "logistic")}
SGD = {"alpha": real(1e-6, 1e-1, "log"), "eta0": real(1e-4, 1.0, "log"), "power_t": real(0.0, 0.8),
       "penalty": one_of("l2", "l1", "elasticnet")}
LGB = {"learning_rate": real(0.01, 0.5, "log"), "num_leaves": whole(3, 40, "log"), "min_data_in_leaf": whole(2, 60, "log"),
       "feature_fraction": real(0.2, 1.0), "lambda_l2": real(1e-3, 100, "log"), "bagging_fraction": real(0.3, 1.0)}
BOOST = {"learning_rate": real(0.005, 1.0, "log"), "max_depth": whole(1, 6), "subsample": real(0.2, 1.0),
         "max_features": real(0.1, 1.0)}
FOREST = {"max_depth": whole(2, 16), "max_features": real(0.03, 1.0, "log"), "min_samples_leaf": whole(1, 40, "log"),
          "criterion": one_of("gini", "entropy")}


@dataclasses.dataclass(frozen=True)
class Data:
    """A training and a validation part, standardised; `classes` is 0 for a regression, whose target has unit variance."""
    x: np.ndarray
    y: np.ndarray
    x_valid: np.ndarray
    y_valid: np.ndarray
    classes: int


def split(x, y, classes, train, fold=0):
    order = np.random.default_rng(100 + fold).permutation(len(y))
    first, rest = order[:train], order[train:]
    x = (x - x[first].mean(0)) / (x[first].std(0) + 1e-9)
    if not classes:
        y = (y - y[first].mean()) / y[first].std()
    return Data(x[first], y[first], x[rest], y[rest], classes)


def spirals(count, classes=3):
    rng = np.random.default_rng(3)
    y = rng.integers(0, classes, count)
    radius = np.sqrt(rng.uniform(0.02, 1, count))
    angle = 5 * radius + 2 * np.pi * y / classes + 0.25 * rng.standard_normal(count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), y


def loaded(name, fold=0):
    from sklearn import datasets
    if name == "digits":
        return split(*datasets.load_digits(return_X_y=True), 10, 900, fold)
    if name == "breast_cancer":
        return split(*datasets.load_breast_cancer(return_X_y=True), 2, 285, fold)
    if name == "wine":
        return split(*datasets.load_wine(return_X_y=True), 3, 89, fold)
    if name == "iris":
        return split(*datasets.load_iris(return_X_y=True), 3, 75, fold)
    if name == "diabetes":
        return split(*datasets.load_diabetes(return_X_y=True), 0, 242, fold)
    if name == "spirals":
        return split(*spirals(1400), 3, 600, fold)
    if name == "friedman":
        return split(*datasets.make_friedman1(1600, n_features=10, noise=1.0, random_state=1), 0, 600, fold)
    if name == "quantiles":
        return split(*datasets.make_gaussian_quantiles(n_samples=2400, n_features=6, n_classes=3, random_state=2), 3, 1000, fold)
    if name == "redundant":
        return split(*datasets.make_classification(2400, n_features=60, n_informative=12, n_redundant=20, n_classes=4, flip_y=0.05,
                                                   class_sep=1.0, random_state=4), 4, 1000, fold)
    raise ValueError(name)


def log_loss(probability, y):
    return float(-np.mean(np.log(np.clip(probability[np.arange(len(y)), y], 1e-7, 1))))


def error(probability, y):
    return float(np.mean(probability.argmax(1) != y))


def squared(predicted, y):
    return float(np.mean((predicted - y) ** 2))


def softmax(scores):
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def net(data, p, steps, measure, seed):
    """Two hidden layers of rectifiers, by gradient descent with momentum; the learning rate may fall as a half cosine."""
    rng = np.random.default_rng(seed)
    outputs = data.classes or 1
    sizes = [data.x.shape[1], p["width"], p["width"], outputs]
    weights = [rng.standard_normal((a, b)) * np.sqrt(2 / a) for a, b in zip(sizes, sizes[1:])]
    biases = [np.zeros(b) for b in sizes[1:]]
    speeds = [np.zeros_like(w) for w in weights + biases]
    target = np.eye(outputs)[data.y] if data.classes else data.y[:, None]
    size, count = p["batch_size"], len(data.y)

    def layers(x):
        found = [x]
        for place, (w, b) in enumerate(zip(weights, biases)):
            x = x @ w + b
            if place < len(weights) - 1:
                x = np.maximum(x, 0)
            found.append(x)
        return found

    batches = -(-count // size)
    for step in range(steps):
        order = rng.permutation(count)
        for place in range(batches):
            rows = order[place * size:(place + 1) * size]
            done = (step * batches + place) / (steps * batches)
            rate = p["learning_rate"] * (0.5 * (1 + np.cos(np.pi * done)) if p["schedule"] == "cosine" else 1.0)
            found = layers(data.x[rows])
            slope = (softmax(found[-1]) if data.classes else found[-1]) - target[rows]
            slope /= len(rows)
            for layer in reversed(range(len(weights))):
                steep = [found[layer].T @ slope + p["weight_decay"] * weights[layer], slope.sum(0)]
                slope = (slope @ weights[layer].T) * (found[layer] > 0)
                for part, (values, gradient) in enumerate(zip((weights, biases), steep)):
                    speed = speeds[layer + part * len(weights)]
                    speed *= p["momentum"]
                    speed -= rate * gradient
                    values[layer] += speed
        end = layers(data.x_valid)[-1]
        yield measure(softmax(end), data.y_valid) if data.classes else measure(end[:, 0], data.y_valid)


def mlp(data, p, steps, measure, seed):
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    model = (MLPClassifier if data.classes else MLPRegressor)(random_state=seed, **p)
    for _ in range(steps):
        if data.classes:
            model.partial_fit(data.x, data.y, classes=np.arange(data.classes))
            yield measure(model.predict_proba(data.x_valid), data.y_valid)
        else:
            model.partial_fit(data.x, data.y)
            yield measure(model.predict(data.x_valid), data.y_valid)


def sgd(data, p, steps, measure, seed):
    from sklearn.linear_model import SGDClassifier
    model = SGDClassifier(loss="log_loss", learning_rate="invscaling", random_state=seed, **p)
    for _ in range(steps):
        model.partial_fit(data.x, data.y, classes=np.arange(data.classes))
        yield measure(model.predict_proba(data.x_valid), data.y_valid)


def lgb(rounds):
    def train(data, p, steps, measure, seed):
        import lightgbm
        rest = {"objective": "multiclass", "num_class": data.classes, "metric": "multi_logloss" if measure is log_loss else "multi_error"
                } if data.classes else {"objective": "regression", "metric": "l2"}
        fixed = {"num_threads": 1, "verbosity": -1, "seed": seed, "bagging_freq": 1, "force_col_wise": True, "max_bin": 63,
                 "feature_pre_filter": False}
        learned = lightgbm.Dataset(data.x, data.y)
        booster = lightgbm.Booster({**p, **rest, **fixed}, learned)
        booster.add_valid(lightgbm.Dataset(data.x_valid, data.y_valid, reference=learned), "valid")
        for _ in range(steps):
            for _ in range(rounds):
                booster.update()
            yield booster.eval_valid()[0][2]
    return train


def warm(make, each):
    """A model of scikit-learn that grows by `each` trees a step."""
    def train(data, p, steps, measure, seed):
        model = make(p, seed)
        for step in range(steps):
            model.set_params(n_estimators=each * (step + 1))
            model.fit(data.x, data.y)
            yield measure(model.predict_proba(data.x_valid), data.y_valid)
    return train


def boosting(p, seed):
    from sklearn.ensemble import GradientBoostingClassifier
    return GradientBoostingClassifier(warm_start=True, random_state=seed, **p)


def forest(p, seed):
    from sklearn.ensemble import RandomForestClassifier
    return RandomForestClassifier(warm_start=True, random_state=seed, **p)


@dataclasses.dataclass(frozen=True)
class Training:
    """What is recorded: `count` configurations of `parameters`, each trained for `steps` on every one of `folds` splits at once.

    `worst` bounds the loss, in place of values that are not finite too: twice what a constant prediction has.
    """
    name: str
    data: str
    parameters: dict
    train: Callable
    measure: Callable
    steps: int
    count: int
    folds: int = 1

    def curve(self, datas, parameters, seed):
        runs = [self.train(data, parameters, self.steps, self.measure, seed + 1000003 * fold) for fold, data in enumerate(datas)]
        classes = datas[0].classes
        worst = 2.0 if not classes else 1.0 if self.measure is error else 2 * np.log(classes)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for _ in range(self.steps):
                try:
                    value = float(np.mean([next(run) for run in runs]))
                except (ValueError, StopIteration, FloatingPointError):  # scikit-learn refuses to go on from overflowed weights
                    value = np.nan
                yield min(value, worst) if np.isfinite(value) else worst

    def datas(self):
        return [loaded(self.data, fold) for fold in range(self.folds)]


TRAININGS = [
    Training("net-digits", "digits", NET, net, log_loss, 27, 600),
    Training("net-spirals", "spirals", NET, net, log_loss, 48, 600),
    Training("net-friedman", "friedman", NET, net, squared, 27, 1000),
    Training("net-wine", "wine", NET, net, log_loss, 20, 1500, folds=3),
    Training("mlp-breast_cancer", "breast_cancer", MLP, mlp, log_loss, 25, 600),
    Training("mlp-quantiles", "quantiles", MLP, mlp, error, 20, 500),
    Training("mlp-diabetes", "diabetes", MLP, mlp, squared, 30, 400),
    Training("sgd-digits", "digits", SGD, sgd, log_loss, 16, 320),
    Training("sgd-redundant", "redundant", SGD, sgd, error, 12, 600),
    Training("lgb-digits", "digits", LGB, lgb(2), log_loss, 20, 1000),
    Training("lgb-diabetes", "diabetes", LGB, lgb(2), squared, 60, 1000),
    Training("lgb-redundant", "redundant", LGB, lgb(3), error, 24, 224),
    Training("lgb-friedman", "friedman", LGB, lgb(5), squared, 40, 600),
    Training("boost-iris", "iris", BOOST, warm(boosting, 3), log_loss, 14, 224, folds=2),
    Training("forest-digits", "digits", FOREST, warm(forest, 4), log_loss, 10, 240),
]
