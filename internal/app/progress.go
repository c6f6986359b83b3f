package app

import (
	"fmt"
	"io"
	"strings"
)

// bar shows on a terminal how much of something is read. Everywhere else it shows nothing.
type bar struct {
	to          io.Writer // nil: nobody looks
	label       string
	done, total int64
	shown       int // percent; -1: not yet
}

// bar counts what is written to it, up to total bytes.
func (c *console) bar(label string, total int64) *bar {
	b := &bar{label: label, total: total, shown: -1}
	if c.terminal && total > 0 {
		b.to = c.err
	}
	return b
}

const barWidth = 30

// Write counts.
func (b *bar) Write(p []byte) (int, error) {
	b.done += int64(len(p))
	if b.to == nil {
		return len(p), nil
	}
	if percent := int(min(100, 100*b.done/b.total)); percent != b.shown {
		b.shown = percent
		full := barWidth * percent / 100
		fmt.Fprintf(b.to, "\r%s [%s%s] %3d %%", b.label, strings.Repeat("#", full), strings.Repeat(" ", barWidth-full), percent)
	}
	return len(p), nil
}

// end leaves the line.
func (b *bar) end() {
	if b.to != nil && b.shown >= 0 {
		fmt.Fprintln(b.to)
	}
}
