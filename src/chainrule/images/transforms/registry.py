"""A transform is written as one would call it: `rotation(limit=15)`, `crop(4)+flip`, `rotation|cutout|crop`."""

from chainrule.errors import InputError, unknown_name
from chainrule.images.transforms.combined import Chain, OneOf
from chainrule.images.transforms.rules import TRANSFORMS, Transform
from chainrule.specs import parse

ASSIGNMENT = "rotation|cutout|crop|contrast_flip"
"""The four of the assignment, with its ranges; one is drawn for each image."""


def transform(text: str) -> Transform:
    """The transform of that name, with settings in parentheses; steps are joined by "+", options by "|".

    "+" binds more closely: `crop(4)+flip|rotation(15)` crops and mirrors, or turns. Raises UnknownNameError and
    InputError in words.
    """
    options = [part.strip() for part in str(text).split("|")]
    if len(options) > 1:
        return OneOf(tuple(options), tuple(_chain(option) for option in options))
    return _chain(text)


def _chain(text: str) -> Transform:
    steps = [part.strip() for part in str(text).split("+")]
    if len(steps) > 1:
        return Chain(tuple(steps), tuple(_single(step) for step in steps))
    return _single(text)


def _single(text: str) -> Transform:
    spec = parse(text)
    if spec.name not in TRANSFORMS:
        raise unknown_name("transform", spec.name, TRANSFORMS)
    kind = TRANSFORMS[spec.name]
    try:
        return kind(*spec.args, **spec.kwargs)
    except InputError as error:
        raise InputError(f"transform {spec.name}: {error.problem}", error.remedy) from None
    except TypeError:
        settings = ", ".join(getattr(kind, "__dataclass_fields__", ())) or "no settings"
        raise InputError(
            f"transform {spec.name} does not take the settings in {text!r}", f"It has {settings}."
        ) from None
