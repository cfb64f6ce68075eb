"""A tool that is a Python function of the user: what it takes is read off its annotations."""

import inspect
from collections.abc import Mapping
from typing import Any, get_type_hints

from pydantic import BaseModel, PydanticUserError, ValidationError, create_model

from voicegate.plan import CallFacts
from voicegate.tools.tool import CallableTool, OnCall, ToolFailed
from voicegate.user_code import Function, UserCodeRefused, load_function, run_function
from voicegate.voice.session import Tool

NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def function_tool(path: str, timeout_s: float) -> CallableTool:
    """Give the tool at package.module:function; raises UserCodeRefused."""
    function = load_function(path)
    description = inspect.getdoc(function)
    if not description:
        raise UserCodeRefused(
            f"{path!r} has no docstring: it tells the model what the tool does and when to call it"
        )
    facts, arguments_type = _arguments_of(function, path)

    async def run(arguments: Mapping[str, object], on: OnCall) -> object:
        try:
            checked = arguments_type.model_validate(dict(arguments))
        except ValidationError as error:
            raise ToolFailed(_what_is_wrong(error)) from error
        known = dict.fromkeys(facts, on.facts)
        return await run_function(function, on.workshop.threads, **dict(checked), **known)

    schema = arguments_type.model_json_schema() if arguments_type.model_fields else {}
    return CallableTool(Tool(function.__name__, description, schema), run, timeout_s)


def _arguments_of(function: Function, path: str) -> tuple[list[str], type[BaseModel]]:
    """Give which parameters want the facts of the call, and the type of all others."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise UserCodeRefused(f"{path!r}: an annotation cannot be read: {error}") from error
    facts, fields = [], dict[str, Any]()
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in NAMED:
            raise UserCodeRefused(f"{path!r}: {parameter} cannot be given by name")
        if name not in hints:
            raise UserCodeRefused(f"{path!r}: annotate {name!r}, such as {name}: str")
        if hints[name] is CallFacts:
            facts.append(name)
        else:
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[name] = (hints[name], default)
    try:
        return facts, create_model(function.__name__, **fields)
    except PydanticUserError as error:
        raise UserCodeRefused(f"{path!r}: {error.message}") from error


def _what_is_wrong(error: ValidationError) -> str:
    """Tell the model how to call it rightly."""
    faults = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults[:5])
