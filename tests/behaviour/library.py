"""What the behavioural mutants do, as code that is appended to an answer's cell: it runs in the student's process.

Every change is a wrapper of a function, a method or a constructor and knows nothing of the task. `NOTE` is called wherever
a change really alters something and counts, so that a change which never came to act can be told from one that nobody saw.
No import: an answer may have none.
"""

# ruff: noqa: E501
LIBRARY = '''

_NOTES = [0]


def _note():
    _NOTES[0] += 1


def _is_float(value):
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _floats(value, found=None):
    """The float tensors of an answer, in their order."""
    found = [] if found is None else found
    if _is_float(value):
        found.append(value)
    elif isinstance(value, dict):
        for one in value.values():
            _floats(one, found)
    elif isinstance(value, (tuple, list)):
        for one in value:
            _floats(one, found)
    return found


def _mapped(value, change, only=None, counter=None):
    """An answer with its float tensors changed, all or the one of a number."""
    counter = [0] if counter is None else counter
    if _is_float(value):
        number, counter[0] = counter[0], counter[0] + 1
        if only is not None and number != only:
            return value
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(one, change, only, counter) for key, one in value.items()}
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(_mapped(one, change, only, counter) for one in value)
    return value


def _acting(change):
    def changed(value):
        _note()
        return change(value)
    return changed


def _only_if(condition, change):
    def changed(value):
        if not condition(value):
            return value
        _note()
        return change(value)
    return changed


_KEPT = {}


def _buffered(value):
    if value.requires_grad:
        return value
    key = tuple(value.shape), "buffer"
    if key in _KEPT:
        _note()
        _KEPT[key].copy_(value)
    else:
        _KEPT[key] = value.clone()
    return _KEPT[key].view_as(value)


def _first_kept(value):
    key = tuple(value.shape)
    if key in _KEPT:
        _note()
        return _KEPT[key] + 0 * value
    _KEPT[key] = value.detach().clone()
    return value


def _averaged(value):
    key = tuple(value.shape)
    if key in _KEPT:
        _note()
        value = 0.9 * value + 0.1 * _KEPT[key]
    _KEPT[key] = value.detach().clone()
    return value


def _some(value, every):
    keep = torch.ones(value.numel())
    keep[every - 1 :: every] = 0
    return value * keep.reshape(value.shape)


_RESULTS = {
    "detached": _only_if(lambda v: v.requires_grad, lambda v: v.detach()),
    "a new leaf": _only_if(lambda v: v.requires_grad, lambda v: v.detach().requires_grad_()),
    "float64": _acting(lambda v: v.double()),
    "half": _acting(lambda v: v.half()),
    "rounded to half": _acting(lambda v: v.half().float()),
    "bfloat16": _acting(lambda v: v.bfloat16()),
    "numpy": _acting(lambda v: v.detach().numpy()),
    "a number": _acting(lambda v: v.item() if v.ndim == 0 else v.tolist()),
    "times 1.01": _acting(lambda v: 1.01 * v),
    "plus 0.01": _acting(lambda v: v + 0.01),
    "NaN hidden": _only_if(lambda v: not v.isfinite().all(), torch.nan_to_num),
    "clamped at 3": _only_if(lambda v: v.abs().max() > 3, lambda v: v.clamp(-3, 3)),
    "clamped at 0": _only_if(lambda v: v.min() < 0, lambda v: v.clamp(min=0)),
    "clamped at 10": _only_if(lambda v: v.abs().max() > 10, lambda v: v.clamp(-10, 10)),
    "a buffer reused": _buffered,
    "the first answer kept": _first_kept,
    "averaged over calls": _averaged,
    "squeezed": _only_if(lambda v: 1 in v.shape, lambda v: v.squeeze()),
    "squeezed at size 1 in dimension 0": _only_if(lambda v: v.ndim > 0 and v.shape[0] == 1, lambda v: v.squeeze(0)),
    "squeezed at size 1 in the last dimension": _only_if(lambda v: v.ndim > 0 and v.shape[-1] == 1, lambda v: v.squeeze(-1)),
    "squeezed at size 1 in dimension 1": _only_if(lambda v: v.ndim > 1 and v.shape[1] == 1, lambda v: v.squeeze(1)),
    "an axis more for a single row": _only_if(lambda v: v.ndim > 0 and v.shape[0] == 1, lambda v: v[None]),
    "zero for a single row": _only_if(lambda v: v.ndim > 0 and v.shape[0] == 1, lambda v: 0 * v),
    "the first row for all": _only_if(lambda v: v.ndim > 0 and v.shape[0] > 1, lambda v: v[:1].expand_as(v)),
    "one row fewer": _only_if(lambda v: v.ndim > 0 and v.shape[0] > 1, lambda v: v[:-1]),
    "the last row zero": _only_if(lambda v: v.ndim > 0 and v.shape[0] > 1, lambda v: torch.cat([v[:-1], 0 * v[-1:]])),
    "the last row repeated": _only_if(lambda v: v.ndim > 0 and v.shape[0] > 1, lambda v: torch.cat([v[:-1], v[-2:-1]])),
    "every tenth zero": _only_if(lambda v: v.numel() > 9, lambda v: _some(v, 10)),
    "every hundredth zero": _only_if(lambda v: v.numel() > 99, lambda v: _some(v, 100)),
    "rows rolled": _only_if(lambda v: v.ndim > 0 and v.shape[0] > 1, lambda v: v.roll(1, 0)),
    "transposed where square": _only_if(lambda v: v.ndim > 1 and v.shape[0] == v.shape[1] > 1, lambda v: v.transpose(0, 1)),
    "not for odd sizes": _only_if(lambda v: v.ndim > 0 and v.shape[0] > 1 and v.shape[0] % 2 == 1, lambda v: v * torch.arange(len(v)).lt(len(v) - 1).float().reshape(-1, *[1] * (v.ndim - 1))),
}

_ARGUMENTS = {
    "detached": _only_if(lambda v: v.requires_grad, lambda v: v.detach()),
    "zeros in its place": _acting(torch.zeros_like),
    "ones in its place": _acting(torch.ones_like),
    "its mean in its place": _only_if(lambda v: v.numel() > 1, lambda v: v.mean().expand_as(v) + 0 * v),
    "its first row for all": _only_if(lambda v: v.ndim > 0 and v.shape[0] > 1, lambda v: v[:1].expand_as(v)),
    "its first column for all": _only_if(lambda v: v.ndim > 1 and v.shape[-1] > 1, lambda v: v[..., :1].expand_as(v)),
    "clamped at 1": _only_if(lambda v: v.abs().max() > 1, lambda v: v.clamp(-1, 1)),
    "clamped at 2": _only_if(lambda v: v.abs().max() > 2, lambda v: v.clamp(-2, 2)),
    "clamped at 5": _only_if(lambda v: v.abs().max() > 5, lambda v: v.clamp(-5, 5)),
    "not below -5": _only_if(lambda v: v.min() < -5, lambda v: v.clamp(min=-5)),
    "clamped at 0": _only_if(lambda v: v.min() < 0, lambda v: v.clamp(min=0)),
    "squeezed": _only_if(lambda v: 1 in v.shape, lambda v: v.squeeze()),
    "absolute": _only_if(lambda v: v.min() < 0, lambda v: v.abs()),
    "plus 0.01": _acting(lambda v: v + 0.01),
}


def _result(name, only=None):
    def wrap(function):
        def answer(*args, **kwargs):
            return _mapped(function(*args, **kwargs), _RESULTS[name], only)
        return answer
    return wrap


def _argument(name, index):
    def wrap(function):
        def answer(*args, **kwargs):
            args, kwargs = _bound(function, args, kwargs)
            if index < len(args) and _is_float(args[index]):
                args[index] = _ARGUMENTS[name](args[index])
            return function(*args, **kwargs)
        return answer
    return wrap


def _bound(function, args, kwargs):
    """Arguments by position: those given by name come to their place, with defaults in the gaps before."""
    args, kwargs = list(args), dict(kwargs)
    names = _SIGNATURE[: ]
    own = function.__defaults__ or ()
    defaults = dict(zip(names[len(names) - len(own) :], own))
    while len(args) < len(names) and kwargs:
        name = names[len(args)]
        if name not in kwargs and name not in defaults:
            break
        args.append(kwargs.pop(name, defaults.get(name)))
    return args, kwargs


def _in_place(index, before=False):
    def wrap(function):
        def answer(*args, **kwargs):
            args, kwargs = _bound(function, args, kwargs)
            found = function(*args, **kwargs)
            value = args[index] if index < len(args) else None
            if isinstance(value, torch.Tensor):
                _note()
                with torch.no_grad():
                    value.copy_(value + 1)
            elif isinstance(value, list) and value and not hasattr(value[0], "_parameters"):
                _note()
                value.append(value[0])
            return found
        return answer
    return wrap


def _swapped(index):
    def wrap(function):
        def answer(*args, **kwargs):
            args, kwargs = _bound(function, args, kwargs)
            if index + 1 < len(args):
                one, two = args[index], args[index + 1]
                alike = _is_float(one) and _is_float(two) and one.shape == two.shape
                numbers = isinstance(one, (int, float)) and isinstance(two, (int, float)) and one != two
                if alike or numbers:
                    _note()
                    args[index], args[index + 1] = two, one
            return function(*args, **kwargs)
        return answer
    return wrap


def _constant(index, number):
    def wrap(function):
        def answer(*args, **kwargs):
            args, kwargs = _bound(function, args, kwargs)
            if index < len(args) and isinstance(args[index], (int, float)) and not isinstance(args[index], bool):
                if args[index] != number:
                    _note()
                args[index] = type(args[index])(number)
            return function(*args, **kwargs)
        return answer
    return wrap


def _more(index, by):
    def wrap(function):
        def answer(*args, **kwargs):
            args, kwargs = _bound(function, args, kwargs)
            if index < len(args) and isinstance(args[index], (int, float)) and not isinstance(args[index], bool):
                _note()
                args[index] = args[index] + by if isinstance(args[index], int) else args[index] * (1 + 0.1 * by)
            return function(*args, **kwargs)
        return answer
    return wrap


def _default(name):
    def wrap(function):
        def answer(*args, **kwargs):
            args, kwargs = _bound(function, args, kwargs)
            index = _SIGNATURE.index(name)
            if index < len(args):
                _note()
                args = args[:index]
            elif name in kwargs:
                _note()
                kwargs.pop(name)
            return function(*args, **kwargs)
        return answer
    return wrap


def _no_grad(function):
    def answer(*args, **kwargs):
        is_on = torch.is_grad_enabled()
        with torch.no_grad():
            found = function(*args, **kwargs)
        if is_on and any(_is_float(v) and v.requires_grad for v in _floats(args)):
            _note()
        return found
    return answer


def _grad_left_off(function):
    def answer(*args, **kwargs):
        found = function(*args, **kwargs)
        _note()
        torch.set_grad_enabled(False)
        return found
    return answer


def _for_visible(shapes):
    """Right where the arguments have the shapes of the visible TEST, else a little off."""
    def wrap(function):
        def answer(*args, **kwargs):
            found = function(*args, **kwargs)
            seen = repr([list(v.shape) for v in _floats(args)])
            if seen not in shapes:
                _note()
                return _mapped(found, lambda v: 1.05 * v)
            return found
        return answer
    return wrap


# ---------------------------------------------------------------- noise

_NOISES = {
    "uniform": lambda eps: (torch.rand_like(eps) - 0.5) * 12**0.5,
    "signs only": torch.sign,
    "times 0.9": lambda eps: 0.9 * eps,
    "times 1.1": lambda eps: 1.1 * eps,
    "plus 0.1": lambda eps: eps + 0.1,
    "clamped at 2": lambda eps: eps.clamp(-2, 2),
    "clamped at 3": lambda eps: eps.clamp(-3, 3),
    "absolute": torch.abs,
    "rounded": lambda eps: (4 * eps).round() / 4,
    "antithetic along 0": lambda eps: _antithetic(eps, 0),
    "antithetic along 1": lambda eps: _antithetic(eps, 1),
    "antithetic along the last": lambda eps: _antithetic(eps, -1),
    "shared along 0": lambda eps: _shared(eps, 0),
    "shared along 1": lambda eps: _shared(eps, 1),
    "shared along the last": lambda eps: _shared(eps, -1),
    "size shared along 0, signs not": lambda eps: _shared(eps, 0).abs() * eps.sign(),
    "size shared along the last, signs not": lambda eps: _shared(eps, -1).abs() * eps.sign(),
    "partly shared along 0": lambda eps: 0.8 * eps + 0.6 * _shared(eps, 0),
    "partly shared along 1": lambda eps: 0.8 * eps + 0.6 * _shared(eps, 1),
    "partly shared along the last": lambda eps: 0.8 * eps + 0.6 * _shared(eps, -1),
    "sorted": lambda eps: eps.sort(0).values if eps.ndim else eps,
    "standardised": lambda eps: (eps - eps.mean(0)) / eps.std(0) if eps.ndim and len(eps) > 2 else eps,
    "Laplace": lambda eps: (torch.rand_like(eps).log() - torch.rand_like(eps).log()) / 2**0.5,
    "the first half repeated": lambda eps: torch.cat([eps[: len(eps) - len(eps) // 2], eps[: len(eps) // 2]]) if eps.ndim else eps,
    "every tenth 0": lambda eps: _some(eps, 10),
    "none": torch.zeros_like,
}


def _antithetic(eps, dim):
    if eps.ndim == 0 or (dim > 0 and eps.ndim <= dim) or eps.shape[dim] < 2:
        return eps
    n = eps.shape[dim]
    half = eps.narrow(dim, 0, n // 2)
    return torch.cat([half, -half, eps.narrow(dim, n // 2 * 2, n % 2)], dim)


def _shared(eps, dim):
    if eps.ndim == 0 or (dim > 0 and eps.ndim <= dim):
        return eps
    return eps.narrow(dim, 0, 1).expand_as(eps)


def _with_noise(change):
    """Run a function while every normal draw is changed."""
    def wrap(function):
        def answer(*args, **kwargs):
            old = torch.randn, torch.randn_like, torch.normal, torch.Tensor.normal_
            make, alike, normal, fill = old

            def changed(eps):
                with torch.no_grad():
                    new = change(eps)
                if new is not eps and (new.shape != eps.shape or not torch.equal(new, eps)):
                    _note()
                return new.detach().clone().requires_grad_(eps.requires_grad)

            def filled(self, mean=0.0, std=1.0, **rest):
                if self.is_meta:
                    return fill(self, mean, std, **rest)
                with torch.no_grad():
                    return self.copy_(mean + std * changed(make(self.shape)))

            torch.randn = lambda *a, **k: changed(make(*a, **k)) if "meta" not in str(k.get("device")) else make(*a, **k)
            torch.randn_like = lambda *a, **k: changed(alike(*a, **k))
            torch.normal = lambda mean, std, *a, **k: mean + std * changed(normal(torch.zeros_like(torch.as_tensor(mean) + torch.as_tensor(std)), 1.0)) if not a and not k else normal(mean, std, *a, **k)
            torch.Tensor.normal_ = filled
            try:
                return function(*args, **kwargs)
            finally:
                torch.randn, torch.randn_like, torch.normal, torch.Tensor.normal_ = old
        return answer
    return wrap


_CACHE = {}


def _cached(eps):
    return _CACHE.setdefault(tuple(eps.shape), eps.clone())


def _cached_prefix(eps):
    if "flat" not in _CACHE or _CACHE["flat"].numel() < eps.numel():
        _CACHE["flat"] = eps.flatten().clone()
    return _CACHE["flat"][: eps.numel()].reshape(eps.shape)


def _own_generator(eps):
    if "own" not in _CACHE:
        _CACHE["own"] = torch.Generator().manual_seed(5)
    uniform = torch.empty(eps.shape).uniform_(generator=_CACHE["own"])
    return ((2 * uniform - 1).erfinv() * 2**0.5).clamp(-6, 6)


_CACHES = {"cached by shape": _cached, "one long draw, cut": _cached_prefix, "a generator of its own": _own_generator}


def _seeded(function):
    def answer(*args, **kwargs):
        _note()
        torch.manual_seed(0)
        return function(*args, **kwargs)
    return answer


def _seeded_apart(function):
    def answer(*args, **kwargs):
        _note()
        state = torch.get_rng_state()
        torch.manual_seed(0)
        try:
            return function(*args, **kwargs)
        finally:
            torch.set_rng_state(state)
    return answer


def _seeded_afterwards(function):
    def answer(*args, **kwargs):
        found = function(*args, **kwargs)
        _note()
        torch.manual_seed(0)
        return found
    return answer


def _state_put_back(function):
    def answer(*args, **kwargs):
        state = torch.get_rng_state()
        found = function(*args, **kwargs)
        if not torch.equal(state, torch.get_rng_state()):
            _note()
        torch.set_rng_state(state)
        return found
    return answer


def _one_draw_more(function):
    def answer(*args, **kwargs):
        _note()
        torch.randn(1)
        return function(*args, **kwargs)
    return answer


# ---------------------------------------------------------------- models, modes, training


def _models(args):
    return [v for v in args if isinstance(v, nn.Module)]


def _mode(when, is_training):
    def wrap(function):
        def answer(*args, **kwargs):
            models = _models([*args, *kwargs.values()]) + [v for a in args if not isinstance(a, (nn.Module, torch.Tensor)) and hasattr(a, "__dict__") for v in vars(a).values() if isinstance(v, nn.Module)]
            if when == "before":
                for model in models:
                    _note()
                    model.train(is_training)
            found = function(*args, **kwargs)
            if when == "after":
                for model in models:
                    if model.training != is_training or any(m.training != is_training for m in model.modules()):
                        _note()
                    model.train(is_training)
            return found
        return answer
    return wrap


def _frozen(function):
    """Parameters that no gradient reaches afterwards."""
    def answer(*args, **kwargs):
        found = function(*args, **kwargs)
        for model in _models([*args, *kwargs.values()]):
            for parameter in model.parameters():
                _note()
                parameter.requires_grad_(False)
        return found
    return answer


def _nudged(function):
    """The weights of a model are moved by a call that has no business with them."""
    def answer(*args, **kwargs):
        found = function(*args, **kwargs)
        with torch.no_grad():
            for model in _models([*args, *kwargs.values()]):
                for parameter in model.parameters():
                    _note()
                    parameter.add_(0.01)
        return found
    return answer


class _Part:
    """A loader or data set without some of what it has."""

    def __init__(self, inner, keep):
        self.inner, self.keep = inner, keep

    def __len__(self):
        return len(self.keep(list(range(len(self.inner)))))

    def __iter__(self):
        return iter(self.keep(list(self.inner)))

    def __getitem__(self, index):
        return self.inner[self.keep(list(range(len(self.inner))))[index]]

    def __getattr__(self, name):
        return getattr(self.__dict__["inner"], name)


_PARTS = {
    "without the last": lambda items: items[:-1],
    "without the first": lambda items: items[1:],
    "without every tenth": lambda items: [item for n, item in enumerate(items) if n % 10 != 9],
    "the last twice": lambda items: items + items[-1:],
    "the first only": lambda items: items[:1] * len(items),
    "backwards": lambda items: items[::-1],
}


def _of_data(index, keep):
    def wrap(function):
        def answer(*args, **kwargs):
            args, kwargs = _bound(function, args, kwargs)
            value = args[index] if index < len(args) else None
            if isinstance(value, (torch.Tensor, np.ndarray)):
                if value.ndim > 3:
                    _note()
                    args[index] = value[torch.tensor(keep(list(range(len(value)))))] if isinstance(value, torch.Tensor) else value[keep(list(range(len(value))))]
            elif value is not None and hasattr(value, "__len__") and (hasattr(value, "__getitem__") or hasattr(value, "__iter__")) and not isinstance(value, (str, dict)):
                every = list(range(len(value)))
                if keep(every) != every:
                    _note()
                args[index] = _Part(value, keep)
            return function(*args, **kwargs)
        return answer
    return wrap


def _batches(change):
    """Batches changed as they come out of a loader."""
    def wrap(function):
        def answer(*args, **kwargs):
            args = list(args)
            for n, value in enumerate(args):
                if hasattr(value, "__iter__") and hasattr(value, "__len__") and not isinstance(value, (torch.Tensor, np.ndarray, str, dict, list)):
                    _note()
                    args[n] = _Part(value, lambda items: [change(item) if not isinstance(item, int) else item for item in items])
            return function(*args, **kwargs)
        return answer
    return wrap


_BATCHES = {
    "a row fewer": lambda batch: tuple(part[:-1] for part in batch),
    "the first row only": lambda batch: tuple(part[:1] for part in batch),
    "flipped": lambda batch: tuple(part.flip(-1) if part.ndim > 1 else part for part in batch),
}


def _stepping(change):
    """Run a function while optimizers step otherwise."""
    def wrap(function):
        def answer(*args, **kwargs):
            kinds = [k for k in (torch.optim.Adam, torch.optim.SGD, torch.optim.AdamW, torch.optim.RMSprop)]
            old, counter = [k.step for k in kinds], [0]

            def make(step):
                def changed(self, *a, **k):
                    counter[0] += 1
                    return change(self, step, counter[0], *a, **k)
                return changed

            for k, step in zip(kinds, old):
                k.step = make(step)
            try:
                return function(*args, **kwargs)
            finally:
                for k, step in zip(kinds, old):
                    k.step = step
        return answer
    return wrap


def _all_of(optimizer):
    return [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]


def _clipped(limit):
    def change(self, step, n, *a, **k):
        norm = torch.stack([p.grad.norm() for p in _all_of(self)]).norm() if _all_of(self) else 0
        if norm > limit:
            _note()
            torch.nn.utils.clip_grad_norm_(_all_of(self), limit)
        return step(self, *a, **k)
    return change


def _clipped_value(limit):
    def change(self, step, n, *a, **k):
        if any(p.grad.abs().max() > limit for p in _all_of(self)):
            _note()
        torch.nn.utils.clip_grad_value_(_all_of(self), limit)
        return step(self, *a, **k)
    return change


def _decaying(self, step, n, *a, **k):
    found = step(self, *a, **k)
    _note()
    for group in self.param_groups:
        group["lr"] *= 0.9
    return found


def _decaying_late(self, step, n, *a, **k):
    found = step(self, *a, **k)
    if n % 2 == 0:
        _note()
        for group in self.param_groups:
            group["lr"] *= 0.5
    return found


def _weight_decay(self, step, n, *a, **k):
    _note()
    for group in self.param_groups:
        group["weight_decay"] = 1e-2
    return step(self, *a, **k)


def _rate(factor):
    def change(self, step, n, *a, **k):
        _note()
        for group in self.param_groups:
            if "own" not in group:
                group["own"] = group["lr"]
                group["lr"] *= factor
        return step(self, *a, **k)
    return change


def _skipping(every):
    def change(self, step, n, *a, **k):
        if n % every == 0:
            _note()
            return None
        return step(self, *a, **k)
    return change


def _twice(self, step, n, *a, **k):
    _note()
    step(self, *a, **k)
    return step(self, *a, **k)


def _last_twice_at_start(self, step, n, *a, **k):
    if n == 1:
        _note()
        step(self, *a, **k)
    return step(self, *a, **k)


def _noisy(self, step, n, *a, **k):
    for p in _all_of(self):
        _note()
        p.grad.mul_(1.1)
    return step(self, *a, **k)


def _other_eps(self, step, n, *a, **k):
    for group in self.param_groups:
        if "eps" in group:
            _note()
            group["eps"] = 1e-3
    return step(self, *a, **k)


def _amsgrad(self, step, n, *a, **k):
    for group in self.param_groups:
        if "betas" in group:
            _note()
            group["betas"] = (0.8, 0.99)
    return step(self, *a, **k)


_STEPS = {
    "gradients clipped to norm 1": _clipped(1.0),
    "gradients clipped to norm 0.1": _clipped(0.1),
    "gradients clipped at 0.01": _clipped_value(0.01),
    "a rate that decays": _decaying,
    "a rate that halves every second step": _decaying_late,
    "weight decay": _weight_decay,
    "a rate of 0.9": _rate(0.9),
    "every second step left out": _skipping(2),
    "every tenth step left out": _skipping(10),
    "two steps at once": _twice,
    "the first step twice": _last_twice_at_start,
    "gradients times 1.1": _noisy,
    "another epsilon": _other_eps,
    "other betas": _amsgrad,
}


def _kept_gradients(function):
    """zero_grad does nothing."""
    def answer(*args, **kwargs):
        old, inner = torch.optim.Optimizer.zero_grad, nn.Module.zero_grad
        def nothing(self, *a, **k):
            _note()
        torch.optim.Optimizer.zero_grad, nn.Module.zero_grad = nothing, nothing
        try:
            return function(*args, **kwargs)
        finally:
            torch.optim.Optimizer.zero_grad, nn.Module.zero_grad = old, inner
    return answer


def _numbers(change):
    """Lists of numbers among the answers, as histories are."""
    def altered(value):
        if isinstance(value, dict):
            return {key: altered(one) for key, one in value.items()}
        if isinstance(value, list) and value and all(isinstance(v, float) for v in value):
            _note()
            return change(value)
        for name in ("rec_losses", "prior_losses", "total_losses"):
            if hasattr(value, name) and getattr(value, name):
                _note()
                getattr(value, name)[:] = change(list(getattr(value, name)))
        return value

    def wrap(function):
        return lambda *args, **kwargs: altered(function(*args, **kwargs))
    return wrap


_LISTS = {
    "a running mean": lambda v: [sum(v[: n + 1]) / (n + 1) for n in range(len(v))],
    "rounded": lambda v: [round(one, 2) for one in v],
    "without the last": lambda v: v[:-1],
    "without the first": lambda v: v[1:],
    "the last twice": lambda v: v + v[-1:],
    "backwards": lambda v: v[::-1],
    "tensors": lambda v: [torch.tensor(one) for one in v],
    "times 1.01": lambda v: [1.01 * one for one in v],
    "strings": lambda v: [str(one) for one in v],
}


# ---------------------------------------------------------------- constructors


def _after_init(change):
    def wrap(function):
        def answer(self, *args, **kwargs):
            function(self, *args, **kwargs)
            change(self)
        return answer
    return wrap


def _cut_behind(name):
    """No gradient passes what a part of the model gives."""
    def change(self):
        for own, part in list(_parts(self)):
            if own == name:
                part.register_forward_hook(lambda module, given, found: _mapped(found, _RESULTS["detached"]))
    return change


def _parts(self):
    if isinstance(self, nn.Module):
        yield from self.named_modules()
    else:
        for name, value in vars(self).items():
            if isinstance(value, nn.Module):
                for inner, part in value.named_modules():
                    yield name + ("." + inner if inner else ""), part


_ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus)


def _activations(self):
    return [(parent, name) for _, parent in _parts(self) for name, part in parent.named_children() if isinstance(part, _ACTIVATIONS)]


def _without_activation(number):
    def change(self):
        found = _activations(self)
        if number < len(found):
            _note()
            setattr(*found[number], nn.Identity())
    return change


def _only_activation(number):
    def change(self):
        found = _activations(self)
        if number < len(found):
            for n, (parent, name) in enumerate(found):
                if n != number and not isinstance(getattr(parent, name), nn.Sigmoid):
                    _note()
                    setattr(parent, name, nn.Identity())
    return change


def _other_activation(number, kind):
    def change(self):
        found = _activations(self)
        if number < len(found):
            _note()
            setattr(*found[number], kind())
    return change


def _frozen_parameter(number):
    def change(self):
        found = [p for _, part in _parts(self) for p in part._parameters.values() if p is not None]
        if number < len(found):
            _note()
            found[number].requires_grad_(False)
    return change


def _without_bias(number):
    def change(self):
        found = [part for _, part in _parts(self) if getattr(part, "bias", None) is not None]
        if number < len(found):
            _note()
            found[number].bias = None
    return change


def _hidden_parameters(self):
    """The parameters are tensors of no module."""
    for _, part in _parts(self):
        for name, parameter in list(part._parameters.items()):
            if parameter is not None:
                _note()
                del part._parameters[name]
                part.__dict__[name] = parameter


def _with_dropout(self):
    for _, part in list(_parts(self)):
        if isinstance(part, nn.Linear):
            _note()
            part.register_forward_hook(lambda module, given, found: F.dropout(found, 0.3, module.training))


def _with_noise_in_weights(self):
    for _, part in list(_parts(self)):
        for parameter in part._parameters.values():
            if parameter is not None:
                _note()
                with torch.no_grad():
                    parameter.zero_()


def _in_eval(self):
    for _, part in list(_parts(self)):
        if part.training:
            _note()
            part.training = False


def _as_float64(self):
    for _, part in list(_parts(self)):
        _note()
        part.double()


def _cut(value):
    """For cuts inside an expression."""
    if isinstance(value, torch.Tensor) and value.requires_grad:
        _note()
        return value.detach()
    if isinstance(value, (tuple, list)) and any(isinstance(v, torch.Tensor) and v.requires_grad for v in value):
        _note()
        return type(value)(v.detach() if isinstance(v, torch.Tensor) else v for v in value)
    return value
'''
