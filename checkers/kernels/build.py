"""The one module that knows numba: kernels to machine code.

Numba compiles each kernel, with what it calls, for the types that its annotations name, without its runtime
and without exceptions. What is left of its modules are functions that need nothing from outside; LLVM links
them and writes one object file, for the plainest processor of the machine's kind.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, cast

from checkers.kernels import KERNELS
from checkers.kernels.engine import DTYPES
from checkers.kernels.image import Compilation, fields_of, kernels, parameters, words_of

INLINED_FROM_WORDS = 100


def build() -> Compilation:
    """All kernels of ``KERNELS``, compiled. Takes about half a minute."""
    symbols, modules = {}, []
    for name, function in kernels().items():
        symbol, module = _machine_independent(function)
        symbols[name] = symbol
        modules.append(module)
    return Compilation(symbols=symbols, code=_linked(modules, set(symbols.values())))


def build_one(function: FunctionType) -> Compilation:
    """One kernel, compiled, under its own name."""
    symbol, module = _machine_independent(function)
    return Compilation(
        symbols={f"{function.__module__}:{function.__qualname__}": symbol}, code=_linked([module], {symbol})
    )


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` as numba runs it, compiled when it is called."""
    from numba import njit

    return cast("Callable[..., Any]", njit(_twin(function)))


@cache
def _bare(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same without numba's runtime, which would have to be there wherever the image is loaded."""
    from numba import njit

    options: dict[str, Any] = {"_nrt": False, "error_model": "numpy", "forceinline": _is_inlined(function)}
    bare = njit(**options)

    return cast("Callable[..., Any]", bare(_twin(function, _bare)))


def _is_inlined(function: Callable[..., Any]) -> bool:
    """Whether a call of it would cost more than what it does: numba passes seven words for each array of a tuple."""
    entry = f"{function.__module__}:{function.__qualname__}"
    return entry not in KERNELS and sum(map(words_of, parameters(function))) > INLINED_FROM_WORDS


def _twin(function: Callable[..., Any], make: Callable[[Any], Any] = compiled) -> FunctionType:
    """``function`` with compiled functions in the place of those that it calls.

    Numba takes what a function calls from its globals, and only compiled things count.
    """
    names = dict(function.__globals__)
    for name in {step.argval for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL"}:
        callee = names.get(name)
        if isinstance(callee, FunctionType):
            names[name] = make(callee)
    return FunctionType(function.__code__, names, function.__name__)


def _machine_independent(function: FunctionType) -> tuple[str, str]:
    """The symbol of a kernel, and its module in LLVM's language."""
    import numpy as np
    from numba import types
    from numba.np.numpy_support import from_dtype

    tuples: Any = types.BaseTuple

    def type_of(kind: Any) -> Any:
        parts = fields_of(kind)
        if parts is None:
            return types.int64 if kind is int else types.Array(from_dtype(np.dtype(DTYPES[kind])), 1, "C")
        inner = [type_of(part) for part in parts]
        return tuples.from_types(inner, kind if hasattr(kind, "_fields") else None)

    dispatcher: Any = _bare(function)
    signature = tuple(type_of(kind) for kind in parameters(function))
    dispatcher.compile(signature)
    (result,) = dispatcher.overloads.values()
    return result.fndesc.llvm_func_name, str(result.library._final_module)  # noqa: SLF001 - numba has no public way


def _linked(modules: list[str], public: set[str]) -> bytes:
    """One object file, in which only the ``public`` functions and what they call are left."""
    import llvmlite.binding as llvm

    whole = llvm.parse_assembly("")
    for text in modules:
        part = llvm.parse_assembly(text)
        for function in part.functions:
            if not function.is_declaration and function.name not in public:
                function.linkage = "internal"
        whole.link_in(part)
    machine = llvm.Target.from_default_triple().create_target_machine(opt=3, reloc="pic", codemodel="small")
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(whole, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    outside = [f.name for f in whole.functions if f.is_declaration and not f.name.startswith("llvm.")]
    if outside:
        raise RuntimeError(f"kernels need functions from outside: {', '.join(outside)}")
    return cast("bytes", machine.emit_object(whole))
