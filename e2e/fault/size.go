// Package fault proves that what was acknowledged takes effect exactly once and that every notice is shown exactly once, while the bot is
// killed, Postgres crashes and the vendor misbehaves. The bot is the real binary in a process of its own; the vendor is simulated.
package fault

import "os"

// size is how much of a fault test is run.
type size struct {
	commands, people, killBot, crashPostgres int
}

// sizeOf is the short run of `make test`, or the full one of `make fault`. The short one is for Slack what it was when there was nothing
// else, and smaller for those who came later: all of them run at once, on two cores.
func sizeOf(first bool) size {
	switch {
	case os.Getenv("HUIYIN_FAULT") == "full":
		return size{commands: 10_000, people: 1000, killBot: 100, crashPostgres: 10}
	case first:
		return size{commands: 1000, people: 250, killBot: 10, crashPostgres: 2}
	}
	return size{commands: 300, people: 100, killBot: 5, crashPostgres: 1}
}
