package survey

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAMeanIsShownInHalvesAndNeverAtTheEnds(t *testing.T) {
	for _, tt := range []struct {
		answers []int
		want    string
	}{
		{[]int{1, 1, 1, 1, 1}, "1.5"},
		{[]int{5, 5, 5, 5, 5}, "4.5"},
		{[]int{5, 5, 5, 5, 4}, "4.5"},
		{[]int{3, 3, 3, 3, 3}, "3"},
		{[]int{3, 3, 3, 3, 4}, "3"},      // 3.2
		{[]int{3, 3, 3, 4, 4}, "3.5"},    // 3.4
		{[]int{3, 3, 3, 4}, "3.5"},       // 3.25, half up
		{[]int{3, 4, 4, 4}, "4"},         // 3.75, half up
		{[]int{1, 2, 3, 4, 5, 5}, "3.5"}, // 3.33
		{[]int{1, 1, 1, 1, 1, 1, 2}, "1.5"},
	} {
		sum := 0
		for _, a := range tt.answers {
			sum += a
		}
		if got := meanShown(sum, len(tt.answers)).String(); got != tt.want {
			t.Errorf("%v is shown as %s, want %s", tt.answers, got, tt.want)
		}
	}
}

// vectors calls see with every way in which n people can answer.
func vectors(n int, see func([]int)) {
	v := make([]int, n)
	for i := range v {
		v[i] = 1
	}
	for {
		see(v)
		i := 0
		for i < n && v[i] == scale {
			v[i] = 1
			i++
		}
		if i == n {
			return
		}
		v[i]++
	}
}

// disclosure is what a published value lets others know of one rater, over every way in which n people can answer.
type disclosure struct {
	certain float64 // probability that an outsider knows the rater's answer
	guess   float64 // probability that an outsider's best guess is right
	worst   float64 // the same for the most telling value
	insider float64 // probability that another rater knows the answer
}

func disclosed[V comparable](n int, prior [scale]float64, show func([]int) V) disclosure {
	var d disclosure
	outside, inside := map[V]*[scale]float64{}, map[[2]any]*[scale]float64{}
	vectors(n, func(v []int) {
		p := 1.0
		for _, a := range v {
			p *= prior[a-1]
		}
		shown := show(v)
		if outside[shown] == nil {
			outside[shown] = new([scale]float64)
		}
		outside[shown][v[0]-1] += p
		key := [2]any{shown, v[1]}
		if inside[key] == nil {
			inside[key] = new([scale]float64)
		}
		inside[key][v[0]-1] += p
	})
	look := func(by *[scale]float64) (total, best float64, possible int) {
		for _, p := range by {
			total += p
			best = max(best, p)
			if p > 0 {
				possible++
			}
		}
		return total, best, possible
	}
	for _, by := range outside {
		total, best, possible := look(by)
		d.guess += best
		d.worst = max(d.worst, best/total)
		if possible == 1 {
			d.certain += total
		}
	}
	for _, by := range inside {
		if total, _, possible := look(by); possible == 1 {
			d.insider += total
		}
	}
	return d
}

// E3 of the design, by exact enumeration of all 5^5 ways to answer: what the display rule gives away, with the rules it replaces as
// controls. The prior is one under which a best guess without any figure is right in 45 % of cases.
func TestWhatFivePeopleGiveAway(t *testing.T) {
	prior := [scale]float64{.02, .07, .19, .45, .27}
	total := func(v []int) int {
		sum := 0
		for _, a := range v {
			sum += a
		}
		return sum
	}
	histogram := disclosed(5, prior, func(v []int) [scale]int {
		var h [scale]int
		for _, a := range v {
			h[a-1]++
		}
		return h
	})
	mean := disclosed(5, prior, total)
	half := disclosed(5, prior, func(v []int) int { return (4*total(v) + 5) / 10 })
	ours := disclosed(5, prior, func(v []int) Half { return meanShown(total(v), 5) })
	t.Logf("           certain  guess  worst  insider (percent)")
	for _, row := range []struct {
		name string
		d    disclosure
	}{{"histogram", histogram}, {"exact mean", mean}, {"half-point", half}, {"ours", ours}} {
		t.Logf("%-10s %7.2f %6.1f %6.0f %8.2f", row.name, 100*row.d.certain, 100*row.d.guess, 100*row.d.worst, 100*row.d.insider)
	}
	if ours.certain != 0 || ours.guess > .475 || ours.insider > .0005 || ours.worst > .57 {
		t.Errorf("the display rule gives away %+v; the page promises 0, at most 47.5 %%, and an insider at most 0.05 %%", ours)
	}
	if histogram.certain < .015 || mean.certain == 0 || math.Abs(half.certain) > 1e-12 || half.insider < 4*ours.insider {
		t.Errorf("the controls do not show what they should: histogram %+v, exact mean %+v, half-point %+v", histogram, mean, half)
	}
}

// For every size from the floor to seven and every value that can be shown, each rater may have given at least two answers: nobody is
// certain of anybody, whatever is likely. A rater who knows their own answer is certain in a handful of vectors at most.
func TestNoShownValueLeavesASingleAnswer(t *testing.T) {
	even := [scale]float64{.2, .2, .2, .2, .2}
	for n := FloorK; n <= 7; n++ {
		d := disclosed(n, even, func(v []int) Half {
			sum := 0
			for _, a := range v {
				sum += a
			}
			return meanShown(sum, n)
		})
		if d.certain != 0 {
			t.Errorf("with %d people an outsider is certain in %.3f %% of cases, want 0", n, 100*d.certain)
		}
		t.Logf("%d people: insider certain %.4f %%", n, 100*d.insider)
	}
}

func TestThePeopleInAFigureAreCountedInBuckets(t *testing.T) {
	for _, tt := range []struct {
		n, k int
		want string
	}{
		{4, 4, "4-7"},
		{5, 5, "5-7"},
		{7, 5, "5-7"},
		{8, 5, "8-12"},
		{12, 5, "8-12"},
		{13, 5, "13-19"},
		{19, 5, "13-19"},
		{20, 5, "20+"},
		{5000, 5, "20+"},
		{10, 10, "10-12"},
		{20, 20, "20+"},
	} {
		got := bucket(tt.n, tt.k)
		if got != tt.want {
			t.Errorf("%d people with k = %d are %q, want %q", tt.n, tt.k, got, tt.want)
		}
		if least := leastIn(got); least > tt.n || least < tt.k {
			t.Errorf("the bucket %q says at least %d", got, least)
		}
	}
}

func TestAChipIsMentionedOnlyWhenThreeChoseIt(t *testing.T) {
	for n := FloorK; n <= 30; n++ {
		possible := map[Mention]int{}
		for chosen := 0; chosen <= n; chosen++ {
			m, ok := mention(chosen, n)
			if ok != (chosen >= 3) {
				t.Errorf("%d of %d chose a chip: mentioned is %v", chosen, n, ok)
			}
			possible[m]++
		}
		for m, counts := range possible {
			if m != Some && counts < 2 {
				t.Errorf("with %d people %q tells the exact number", n, m)
			}
		}
	}
}

func TestAFigureIsReadAsItWasWritten(t *testing.T) {
	for _, s := range []Shown{
		{Mean: 3},
		{Mean: 8},
		{Mean: 9, Bars: []int{0, 0, 1, 3, 6}},
		{Exact: 1},
		{Exact: 5},
		{Words: "=4"},
		{Words: "3.5"},
		{Words: "很好，谢谢"},
		{},
		{Chips: []ChipShown{{0, Most}, {3, Some}}},
		{Chips: []ChipShown{{2, ""}}},
	} {
		got, err := ParseShown(s.String())
		if diff := cmp.Diff(s, got); diff != "" || err != nil {
			t.Errorf("%q is read as (-want +got):\n%s%v", s.String(), diff, err)
		}
	}
	for _, text := range []string{"", "1", "5", "3.2", "=0", "=6", "=x", "\"", "#x", "#1:all", "3.5 a/b"} {
		if got, err := ParseShown(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}
