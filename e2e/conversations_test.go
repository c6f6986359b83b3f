package e2e

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// TestMain lets more conversations wait at the same time than there are processors: waiting is most of what they do.
func TestMain(m *testing.M) {
	flag.Parse()
	if atOnce := flag.Lookup("test.parallel"); atOnce != nil && atOnce.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = atOnce.Value.Set("4") // a number is what it takes
	}
	os.Exit(m.Run())
}

func TestConversations(t *testing.T) {
	t.Parallel()
	for _, c := range conversations(t) {
		for _, s := range platforms() {
			t.Run(c.name+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				c.play(t, s)
			})
		}
	}
}

// TestEveryRowIsAConversation holds the scripts to the rows of the requirements that they are to show.
func TestEveryRowIsAConversation(t *testing.T) {
	var about strings.Builder
	for _, c := range conversations(t) {
		about.WriteString(c.about + "\n")
	}
	for _, row := range []string{
		"S0-27", "S0-29", "S0-30", "S0-31", "S0-33", "S0-59", "S1-29", "S1-33", "S2-25", "S2-38", "S3-43", "S4-24", "S4-28", "S4-53", "S4-62",
	} {
		if !strings.Contains(about.String(), row) {
			t.Errorf("no conversation in testdata shows row %s", row)
		}
	}
}

// TestStepsAreToldApart plays no conversation: every line of every script is one step and no other. With -v it prints the steps that there are.
func TestStepsAreToldApart(t *testing.T) {
	used := map[string]bool{}
	for _, c := range conversations(t) {
		for i, line := range c.lines {
			line, _ = only(line, "")
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "# ") {
				continue
			}
			var fits []string
			for re, s := range table() {
				if re.MatchString(line) {
					fits = append(fits, s.pattern)
					used[s.pattern] = true
				}
			}
			if len(fits) != 1 {
				t.Errorf("%s:%d: %s\n  can be read as %q", c.path, c.first+i, line, fits)
			}
		}
	}
	for _, s := range steps() {
		t.Logf("%-45s %s", s.pattern, s.does)
		if !used[s.pattern] {
			t.Errorf("no script has a step like %s (%s)", s.pattern, s.does)
		}
	}
}
