// Package jobs carries out what was promised: it hands notices from the outbox to a queue, delivers them, and runs recurring work
// once for all replicas. River, the queue, is seen by this package alone. It does not know what a notice says, how a card is drawn,
// or how anything is stored.
package jobs
