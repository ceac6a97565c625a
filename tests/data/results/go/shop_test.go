package shop

import "testing"

func TestPrice(t *testing.T) {}

func TestDiscount(t *testing.T) { t.Errorf("got %d, want %d", 9, 10) }

func TestTill(t *testing.T) { t.Skip("the till is closed") }

func TestStock(t *testing.T) {
	t.Run("empty", func(t *testing.T) {})
	t.Run("full/of #1", func(t *testing.T) { t.Fatal("no stock") })
}
