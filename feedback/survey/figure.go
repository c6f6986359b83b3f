package survey

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Half is a mean in halves of a point: 7 is 3.5.
type Half int

// The clamp: a mean of 1 or 5 would say what every single person answered.
const (
	leastHalf Half = 3 // 1.5
	mostHalf  Half = 9 // 4.5
)

// String gives "3.5" or "4".
func (h Half) String() string {
	if h%2 == 0 {
		return strconv.Itoa(int(h / 2))
	}
	return strconv.Itoa(int(h/2)) + ".5"
}

// meanShown is the display rule of an anonymous mean of n answers from 1 to 5 that total sum: rounded to half a point, half up, and
// clamped to 1.5 to 4.5. With five people it leaves every one of them at least two possible answers, always (E3).
func meanShown(sum, n int) Half {
	// sum/n in halves is 2·sum/n; rounding half up adds a half: (4·sum + n) / 2n.
	return clamp(Half((4*sum + n) / (2 * n)))
}

// ratioShown is meanShown of a total that noise made a fraction, or negative.
func ratioShown(sum *big.Int, n int) Half {
	q := new(big.Int).Mul(sum, big.NewInt(4))
	q.Add(q, big.NewInt(int64(n)))
	q.Div(q, big.NewInt(int64(2*n))) // rounds down, as a positive divisor makes it
	switch {
	case q.Cmp(big.NewInt(int64(leastHalf))) < 0:
		return leastHalf
	case q.Cmp(big.NewInt(int64(mostHalf))) > 0:
		return mostHalf
	}
	return Half(q.Int64())
}

func clamp(h Half) Half { return min(mostHalf, max(leastHalf, h)) }

// bucket says how many people are in a figure without saying how many: "5-7", "8-12", "13-19" or "20+", the first from k on.
func bucket(n, k int) string {
	cuts := []int{0, 8, 13, HistogramPeople}
	for i := len(cuts) - 1; i >= 0; i-- {
		if n >= cuts[i] {
			if i == len(cuts)-1 {
				return strconv.Itoa(max(cuts[i], k)) + "+"
			}
			return fmt.Sprintf("%d-%d", max(cuts[i], k), cuts[i+1]-1)
		}
	}
	return ""
}

// leastIn is the smallest number of people that a bucket admits; 0 for what is no bucket.
func leastIn(bucket string) int {
	low, _, _ := strings.Cut(strings.TrimSuffix(bucket, "+"), "-")
	n, err := strconv.Atoi(low)
	if err != nil {
		return 0
	}
	return n
}

// Mention is how often a chip was chosen, in words.
type Mention string

// The mentions. A chip that fewer than three chose is not mentioned at all, which nobody can tell from one that nobody chose.
const (
	Some Mention = "some" // three or more
	Most Mention = "most" // more than half
)

func mention(chosen, n int) (Mention, bool) {
	switch {
	case chosen < WordsWritten:
		return "", false
	case 2*chosen > n:
		return Most, true
	}
	return Some, true
}

// Shown is the content of a published cell. Exactly one of Mean, Exact, Words is set, or Chips, which may be empty.
type Shown struct {
	Mean  Half   // anonymous mean; 0: none
	Bars  []int  // with Mean, from HistogramPeople on: tenths of the people who answered 1, 2, 3, 4, 5; rounded, so they need not total 10
	Exact int    // an attributed score, 1 to 5
	Words string // an attributed comment
	Chips []ChipShown
}

// ChipShown is one chip that enough people chose, or that an attributed rater chose (with an empty mention).
type ChipShown struct {
	Option  int
	Mention Mention
}

// String encodes the content for a column of text and for exports: "3.5", "3.5 0/1/3/4/2", "=4", "#0:most,3:some", "“words".
func (s Shown) String() string {
	switch {
	case s.Mean != 0 && len(s.Bars) > 0:
		parts := make([]string, len(s.Bars))
		for i, b := range s.Bars {
			parts[i] = strconv.Itoa(b)
		}
		return s.Mean.String() + " " + strings.Join(parts, "/")
	case s.Mean != 0:
		return s.Mean.String()
	case s.Exact != 0:
		return "=" + strconv.Itoa(s.Exact)
	case s.Words != "":
		return "\"" + s.Words
	}
	parts := make([]string, len(s.Chips))
	for i, c := range s.Chips {
		parts[i] = strconv.Itoa(c.Option) + ":" + string(c.Mention)
	}
	return "#" + strings.Join(parts, ",")
}

// ParseShown is the inverse of Shown.String.
func ParseShown(text string) (Shown, error) {
	bad := fmt.Errorf("%d bytes that are no published figure", len(text))
	if words, ok := strings.CutPrefix(text, "\""); ok && words != "" {
		return Shown{Words: words}, nil
	}
	if score, ok := strings.CutPrefix(text, "="); ok {
		n, err := strconv.Atoi(score)
		if err != nil || n < 1 || n > scale {
			return Shown{}, bad
		}
		return Shown{Exact: n}, nil
	}
	if chips, ok := strings.CutPrefix(text, "#"); ok {
		var s Shown
		for part := range strings.SplitSeq(chips, ",") {
			if chips == "" {
				break
			}
			option, word, _ := strings.Cut(part, ":")
			n, err := strconv.Atoi(option)
			if m := Mention(word); err != nil || m != Some && m != Most && m != "" {
				return Shown{}, bad
			}
			s.Chips = append(s.Chips, ChipShown{Option: n, Mention: Mention(word)})
		}
		return s, nil
	}
	mean, bars, _ := strings.Cut(text, " ")
	var s Shown
	for h := leastHalf; h <= mostHalf; h++ {
		if h.String() == mean {
			s.Mean = h
		}
	}
	if s.Mean == 0 {
		return Shown{}, bad
	}
	for part := range strings.SplitSeq(bars, "/") {
		if bars == "" {
			break
		}
		n, err := strconv.Atoi(part)
		if err != nil {
			return Shown{}, bad
		}
		s.Bars = append(s.Bars, n)
	}
	return s, nil
}
