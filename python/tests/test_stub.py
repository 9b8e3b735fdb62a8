"""The stub of the native module has what the module has."""

import ast
import inspect
from pathlib import Path

from cairn_landmarks import _native

STUB = ast.parse((Path(_native.__file__).parent / "_native.pyi").read_text())


def public(names):
    return {name for name in names if not name.startswith("_")}


def parameters(function, stub):
    """How many parameters a function has in the module and in the stub."""
    return len(inspect.signature(function).parameters), len(stub.args.posonlyargs + stub.args.args)


def test_the_stub_names_the_same_classes_and_functions():
    # What the stub imports for its own use is no name of the module.
    named = {node.name for node in STUB.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert public(named) == public(vars(_native))


def test_classes_have_the_same_members_and_functions_as_many_parameters():
    compared = 0
    for node in STUB.body:
        if isinstance(node, ast.FunctionDef):
            found, told = parameters(getattr(_native, node.name), node)
            assert found == told, node.name
            compared += 1
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
            continue
        described = getattr(_native, node.name)
        members = {member.name: member for member in node.body if isinstance(member, ast.FunctionDef)}
        if members:
            assert public(members) == public(vars(described)), node.name
        for name, member in members.items():
            decorators = {decorator.id for decorator in member.decorator_list if isinstance(decorator, ast.Name)}
            if "property" not in decorators:
                found, told = parameters(getattr(described, name), member)
                assert found == told, f"{node.name}.{name}"
                compared += 1
    assert compared >= 20
