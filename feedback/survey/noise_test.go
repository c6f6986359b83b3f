package survey

import (
	"math"
	"math/big"
	"slices"
	"testing"
)

func TestNoiseHasTheShapeThatItPromises(t *testing.T) {
	const draws = 40000
	d, count, sum := dice(), map[int64]int{}, 0.0
	for range draws {
		x := laplace(d, span)
		count[x]++
		sum += float64(x)
	}
	// P(x) = (1-q)/(1+q) · q^|x| with q = exp(-1/span); bounds are five standard deviations.
	q := math.Exp(-1.0 / span)
	for x := int64(-6); x <= 6; x++ {
		p := (1 - q) / (1 + q) * math.Pow(q, math.Abs(float64(x)))
		if dev := math.Abs(float64(count[x])-draws*p) / math.Sqrt(draws*p*(1-p)); dev > 5 {
			t.Errorf("%d came %d times, want about %.0f", x, count[x], draws*p)
		}
	}
	if sd := math.Sqrt(2*q) / (1 - q); math.Abs(sum/draws) > 5*sd/math.Sqrt(draws) {
		t.Errorf("the noise leans by %.3f", sum/draws)
	}
}

func TestANoisyTotalIsShownLikeAnyOther(t *testing.T) {
	for _, tt := range []struct {
		sum  int64
		want string
	}{{-40, "1.5"}, {0, "1.5"}, {300, "3"}, {325, "3.5"}, {324, "3"}, {9999, "4.5"}} {
		if got := ratioShown(big.NewInt(tt.sum), 100).String(); got != tt.want {
			t.Errorf("a total of %d over 100 is shown as %s, want %s", tt.sum, got, tt.want)
		}
	}
	for sum := 100; sum <= 500; sum++ {
		if got, want := ratioShown(big.NewInt(int64(sum)), 100), meanShown(sum, 100); got != want {
			t.Errorf("a total of %d over 100 is shown as %s with a noise of 0 and as %s without", sum, got, want)
		}
	}
}

func TestAShuffleGivesEveryOrderAlike(t *testing.T) {
	const draws = 24000
	count := map[string]int{}
	d := dice()
	for range draws {
		v := []byte("abcd")
		d.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
		count[string(v)]++
	}
	if len(count) != 24 {
		t.Fatalf("%d orders came, want 24", len(count))
	}
	var counts []int
	for _, n := range count {
		counts = append(counts, n)
	}
	if least, most := slices.Min(counts), slices.Max(counts); least < 840 || most > 1160 { // 1000 ± 5 standard deviations
		t.Errorf("orders came %d to %d times, want about 1000", least, most)
	}
}
