import sys

import pytest


def test_price():
    print("asked for the price")
    assert 2 + 2 == 4


def test_discount():
    print("out")
    print("err", file=sys.stderr)
    price = 9
    assert price == 10, "no discount"


@pytest.mark.skip(reason="the till is closed")
def test_till():
    pass


@pytest.mark.xfail(reason="issue 7")
def test_change():
    assert False


@pytest.mark.xfail(reason="mended since", strict=False)
def test_mended():
    pass


@pytest.mark.xfail(reason="must fail", strict=True)
def test_strict():
    pass


@pytest.fixture
def stock():
    raise RuntimeError("no stock")


def test_stock(stock):
    pass


@pytest.fixture
def closing():
    yield
    raise RuntimeError("door stuck")


def test_closing(closing):
    assert "a" == "b"


@pytest.mark.parametrize("what", ["<&>\"'", "ä€", "two words", "\x1b[31m"])
def test_names(what):
    assert what


class TestCart:
    def test_empty(self):
        pass
