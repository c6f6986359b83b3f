package survey

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestTheSameIsAskedAgainAfterNinetyDays(t *testing.T) {
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	for _, tt := range []struct {
		what   string
		before []Asked
		from   time.Time
		soon   bool
	}{
		{"never asked", nil, time.Time{}, false},
		{"ninety days ago", []Asked{{ReleasedAt: day(-90)}}, time.Time{}, false},
		{"eighty-nine days ago", []Asked{{ReleasedAt: day(-89)}}, day(1), true},
		{"twice, the later counts", []Asked{{ReleasedAt: day(-60)}, {ReleasedAt: day(-30)}, {ReleasedAt: day(-100)}}, day(60), true},
		{"in a survey that is still running", []Asked{{}}, day(90), true},
	} {
		from, soon := TooSoon(tt.before, noon)
		if soon != tt.soon || !from.Equal(tt.from) {
			t.Errorf("%s: too soon is %v until %s, want %v until %s", tt.what, soon, from, tt.soon, tt.from)
		}
	}
}

func TestATrendNeedsPeopleAndARosterThatHidesWhoLeft(t *testing.T) {
	cell := func(bucket string, mean Half) Cell { return Cell{Bucket: bucket, Shown: Shown{Mean: mean}} }
	for _, tt := range []struct {
		what        string
		before, now Cell
		moved       int
		want        Direction
	}{
		{"up", cell("13-19", 6), cell("13-19", 7), 0, Up},
		{"down", cell("20+", 7), cell("13-19", 6), 3, Down},
		{"level", cell("20+", 7), cell("20+", 7), 10, Level},
		{"too few before", cell("5-7", 6), cell("8-12", 7), 0, NewBaseline},
		{"too few now", cell("8-12", 6), cell("5-7", 7), 0, NewBaseline},
		{"one person left", cell("20+", 6), cell("20+", 7), 1, NewBaseline},
		{"two people moved", cell("13-19", 6), cell("13-19", 7), 2, NewBaseline},
		{"eight people, the same", cell("8-12", 6), cell("8-12", 7), 0, Up},
		{"eight people, three moved: fewer than k", cell("8-12", 6), cell("8-12", 7), 3, NewBaseline},
		{"eight people, five moved", cell("8-12", 6), cell("8-12", 7), 5, Up},
		{"no figure before", Cell{}, cell("20+", 7), 0, NewBaseline},
	} {
		if got := Trend(tt.before, tt.now, tt.moved, 5); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}
	if got := Moved([]uuid.UUID{id(1), id(2), id(3)}, []uuid.UUID{id(2), id(3), id(4), id(5)}); got != 3 {
		t.Errorf("one who left and two who came are %d, want 3", got)
	}
}

func TestAResponseRateIsAQuarterOfTenPeopleOrNothing(t *testing.T) {
	for _, tt := range []struct {
		invited, answered, percent int
		ok                         bool
	}{
		{9, 9, 0, false}, {10, 0, 0, true}, {10, 2, 0, true}, {10, 3, 25, true}, {10, 9, 75, true}, {10, 10, 100, true}, {1000, 999, 75, true},
	} {
		if percent, ok := Rate(tt.invited, tt.answered); percent != tt.percent || ok != tt.ok {
			t.Errorf("%d of %d is %d %%, shown %v; want %d, %v", tt.answered, tt.invited, percent, ok, tt.percent, tt.ok)
		}
	}
	got := takeRates(noon, []Turnout{{"B", 12, 6}, {"", 40, 39}, {"A", 9, 9}})
	if diff := cmp.Diff([]DailyRate{{noon, Everybody, 75}, {noon, "unit:B", 50}}, got); diff != "" {
		t.Errorf("rates of a day (-want +got):\n%s", diff)
	}
}
