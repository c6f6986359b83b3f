package app

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"huiyin/bot/sim/feishusim"
	"huiyin/storage/postgres"
)

func TestCallsOfAMonthAreCountedShownAndWarnedOf(t *testing.T) {
	w := newWorld(t)
	sim := w.lark(t)
	sim.AddPerson(feishusim.Person{OpenID: "ou_mei", Name: "李梅", EmployeeNo: "E4"})
	w.env["HUIYIN_FEISHU_MONTHLY_CALLS"] = "1000"
	s := w.serve(t)
	line := regexp.MustCompile(`(?m)^huiyin_platform_calls_month\{platform="feishu"\} (\d+)$`)
	calls := 0
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for late := time.After(30 * time.Second); calls == 0; { // the directory is listed at the start
		select {
		case <-again.C:
		case <-late:
			t.Fatal("no call of Feishu is in the metrics")
		}
		_, body := s.get(t, "/metrics")
		if m := line.FindStringSubmatch(body); m != nil && strings.Contains(body, `huiyin_platform_calls_month_limit{platform="feishu"} 1000`) {
			calls, _ = strconv.Atoi(m[1]) // digits
		}
	}
	s.stop()

	db, err := postgres.Open(t.Context(), w.env["HUIYIN_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	orgs, err := db.People.Orgs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation(orgs[0].TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	today := time.Now().In(zone)
	used, err := db.Quotas.Used(t.Context(), orgs[0].ID, "feishu", today)
	if err != nil || used < int64(calls) {
		t.Errorf("at the end %d calls are written down (%v), want the %d that were counted", used, err, calls)
	}
	for _, c := range []struct {
		to   int64
		want string
	}{
		{699, "OK  feishu: 699 of 1000 calls of this month used (69%)"},
		{700, "--  feishu: 700 of 1000 calls of this month used (70%); from 80% on"},
		{800, "--  feishu: 800 of 1000 calls of this month used (80%); reminders go as one message a week"},
		{1000, "!!  feishu: all 1000 calls of this month are used"},
	} {
		if used, err = db.Quotas.Add(t.Context(), orgs[0].ID, "feishu", today, c.to-used); err != nil {
			t.Fatal(err)
		}
		if got := run(t, w.env, "doctor"); !strings.Contains(got.out, c.want) {
			t.Errorf("after %d calls the doctor does not say %q:\n%s", used, c.want, got.out)
		}
	}
}
