import pytest


@pytest.fixture
def closing():
    yield
    raise RuntimeError("door stuck")


def test_open():
    pass


def test_closing(closing):
    pass


def test_both(closing):
    assert False
