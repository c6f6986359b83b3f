package notice

import "time"

// Rate is how fast messages may follow each other: Burst at once, then one every Per. The zero Rate sets no limit.
type Rate struct {
	Per   time.Duration
	Burst int // at least 1
}
