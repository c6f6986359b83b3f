// Package fault proves that what was acknowledged takes effect exactly once and that every notice is shown exactly once, while the bot is
// killed, Postgres crashes and the vendor misbehaves. The bot is the real binary in a process of its own; the vendor is simulated.
package fault

import "os"

// size is how much of a fault test is run.
type size struct {
	commands, people, killBot, crashPostgres int
}

// sizeOf is the short run of `make test`, or the full one of `make fault`.
func sizeOf() size {
	if os.Getenv("HUIYIN_FAULT") == "full" {
		return size{commands: 10_000, people: 1000, killBot: 100, crashPostgres: 10}
	}
	return size{commands: 1000, people: 250, killBot: 10, crashPostgres: 2}
}
