"""Which transformers is there is found out when it is needed, and said when it is not enough."""

import sys
import types

import pytest
import torch

from mm_core.encoders.library import library, named_class, precision, quiet, release
from mm_core.errors import InputError


@pytest.fixture
def installed(monkeypatch):
    """installed("4.49.0") puts an empty package of that version in transformers' place."""

    def put(version):
        stand_in = types.ModuleType("transformers")
        stand_in.__version__ = version
        monkeypatch.setitem(sys.modules, "transformers", stand_in)

    return put


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match=r"not installed.*pip install 'transformers>=4\.50'"):
        library()


def test_an_old_package_is_refused_with_both_versions(installed):
    installed("4.49.1")
    with pytest.raises(InputError, match=r"found transformers 4\.49\.1, needed 4\.50 or later"):
        library()


def test_a_class_of_a_later_release_names_it(installed):
    installed("4.50.3")
    with pytest.raises(
        InputError, match=r"needs transformers 4\.56 for X; found 4\.50\.3: run pip"
    ):
        named_class("X", "4.56")


@pytest.mark.parametrize(
    ("version", "name"), [("4.55.9", "torch_dtype"), ("4.56.0", "dtype"), ("5.23.0", "dtype")]
)
def test_precision_is_named_as_the_release_names_it(installed, version, name):
    installed(version)
    assert precision(torch.float16) == {name: torch.float16}


@pytest.mark.parametrize(
    ("text", "expected"), [("4.50.3", (4, 50)), ("5.0.0rc1", (5, 0)), ("5.23", (5, 23))]
)
def test_a_release_is_its_first_two_numbers(text, expected):
    assert release(text) == expected


def test_what_the_library_said_before_it_says_again_after(transformers):
    log = transformers.utils.logging
    before = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_info()
    log.enable_progress_bar()
    with quiet():
        assert not log.is_progress_bar_enabled()
        assert log.get_verbosity() == log.ERROR
    assert (log.get_verbosity(), log.is_progress_bar_enabled()) == (log.INFO, True)
    log.set_verbosity(before[0])
    if not before[1]:
        log.disable_progress_bar()
