"""What the data of an event of a certain type must look like, where somebody has said so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.values import copied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.eventstore.event import Draft


class PayloadTypes:
    """The models by which the data of events is checked before they are appended.

    A type without a model may carry any JSON value. What is stored is the data as it was given, not the model's
    rendering of it: a later model may read more out of it.
    """

    def __init__(self) -> None:
        self._models: dict[str, type[BaseModel]] = {}

    def register(self, event_type: str, model: type[BaseModel]) -> None:
        """Check the data of every event of this type by a model from now on.

        Raises:
            TypeError: it is no pydantic model.
            ValueError: the type has another model already.
        """
        if not isinstance(event_type, str) or not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"{event_type!r:.40} and {model!r:.80} are no type of events and a pydantic model")
        if self._models.setdefault(event_type, model) is not model:
            raise ValueError(f"{event_type} is checked by {self._models[event_type].__name__} already")

    def check(self, drafts: Iterable[Draft]) -> None:
        """Check the data of events by the models of their types.

        Raises:
            EventStoreError: VALIDATION_FAILED, with every problem of an event in `context["problems"]`.
        """
        if self._models:
            for draft in drafts:
                self._check(draft)

    def _check(self, draft: Draft) -> None:
        model = self._models.get(draft.type)
        if model is None:
            return
        try:
            # A validator may change what it is given; what was given is what is stored.
            model.model_validate(copied(draft.data))
        except ValidationError as error:
            problems = [
                {"where": ".".join(["data", *map(str, each["loc"])]), "why": each["msg"]} for each in error.errors()
            ]
            raise EventStoreError(
                StoreCode.VALIDATION_FAILED,
                f"the data of {draft.type} is not what {model.__name__} asks for: "
                + "; ".join(f"{each['where']}: {each['why']}" for each in problems),
                hint="correct it; nothing was appended",
                event_type=draft.type,
                problems=problems,
            ) from error
        except Exception as error:
            raise EventStoreError(
                StoreCode.VALIDATION_FAILED,
                f"{model.__name__} failed on the data of {draft.type}: {type(error).__name__}: {error}",
                hint="see to the validators of the model; nothing was appended",
                event_type=draft.type,
            ) from error
