"""Functions each call of which is a decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, ParamSpec, TypeVar, cast

from kaizen.decision import Decision
from kaizen.event import Lead, Level

P = ParamSpec("P")
R = TypeVar("R")
BeginDecision = Callable[..., Decision]


def decorator(
    begin: BeginDecision,
    log_type: str,
    *,
    method: str,
    session_id: Callable[..., str],
    lead_identifier: Callable[..., Lead] | None,
    input_data: Callable[..., Mapping[str, Any]] | None,
    output_data: Callable[[Any], Mapping[str, Any]] | None,
    confidence: Callable[[Any], Level] | None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """See `DecisionLogger.logged`; `begin` is called anew for each decision."""

    def before(decision: Decision, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        decision.extract(decision.session, session_id, *args, **named)
        decision.extract(decision.lead, lead_identifier, *args, **named)
        decision.extract(decision.input, input_data, *args, **named)

    def after(decision: Decision, result: object) -> None:
        decision.extract(decision.output, output_data, result)
        decision.extract(decision.confidence, confidence, result)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if isgeneratorfunction(function) or isasyncgenfunction(function):
            raise TypeError(f"{function.__qualname__} is a generator: its call decides nothing yet")

        if iscoroutinefunction(function):

            @wraps(function)
            async def decide_later(*args: P.args, **named: P.kwargs) -> Any:
                async with begin(log_type, session_id=None, method=method) as decision:
                    before(decision, args, named)
                    result = await function(*args, **named)
                    after(decision, result)
                    return result

            return cast("Callable[P, R]", decide_later)

        @wraps(function)
        def decide(*args: P.args, **named: P.kwargs) -> R:
            with begin(log_type, session_id=None, method=method) as decision:
                before(decision, args, named)
                result = function(*args, **named)
                after(decision, result)
                return result

        return decide

    return decorate
