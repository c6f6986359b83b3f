package notice

import "time"

// Stats says where the deliveries of all firms stand.
type Stats struct {
	Waiting int // written and due, in the outbox or handed over, not tried or to be tried again
	Sending int // tried, outcome not known yet
	Held    int // for people without a confirmed account
	Dead    int // given up and not purged yet
	// Oldest is how long the longest waiting one that is due has waited; 0 when none waits.
	Oldest time.Duration
}

// Retention says what may be forgotten: whatever is older than its time. A zero time keeps everything of that sort.
type Retention struct {
	Inbox      time.Time // ids of events that had their effect
	Deliveries time.Time // deliveries that are sent, skipped or dead
	Calls      time.Time // counts of calls of the vendors' APIs, by month
}
