package people

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

// Used says on which platform a person was seen last, and when.
type Used struct {
	PersonID uuid.UUID
	Platform string
	At       time.Time
}

// lastUsed is where people with several accounts were seen last. It is no part of the snapshot: nothing is decided on it but where a notice
// goes, so it raises no version, and all snapshots of a process that follow from each other share the latest.
type lastUsed struct {
	mu       sync.RWMutex
	of       map[uuid.UUID]Used
	behind   map[uuid.UUID]bool // whom the store saw elsewhere, and earlier
	readTill time.Time          // of the rows that were read
}

// LastUsed is the platform on which a person with several accounts was seen last; "": not known.
func (d *Directory) LastUsed(personID uuid.UUID) string {
	d.used.mu.RLock()
	defer d.used.mu.RUnlock()
	return d.used.of[personID].Platform
}

// UsedTill is the time of the latest use that was read from the store.
func (d *Directory) UsedTill() time.Time {
	d.used.mu.RLock()
	defer d.used.mu.RUnlock()
	return d.used.readTill
}

// TakeUsed takes over what a store has read. What this process has seen since stays.
func (d *Directory) TakeUsed(all []Used) {
	d.used.mu.Lock()
	defer d.used.mu.Unlock()
	for _, u := range all {
		if u.At.After(d.used.readTill) {
			d.used.readTill = u.At
		}
		known := d.used.of[u.PersonID]
		if !known.At.After(u.At) {
			d.used.of[u.PersonID] = u
		}
		if known.At.After(u.At) && known.Platform != u.Platform {
			d.used.behind[u.PersonID] = true
		}
	}
}

// use notes a use and reports whether the platform is another than before, or than the store says. Of many who say the same at once one is
// told so. The time is noted in any case: an older use that another process has stored must not win over it.
func (d *Directory) use(u Used) (before Used, changed bool) {
	d.used.mu.Lock()
	defer d.used.mu.Unlock()
	before = d.used.of[u.PersonID]
	if before.At.After(u.At) {
		return before, false
	}
	changed = before.Platform != u.Platform || d.used.behind[u.PersonID]
	d.used.of[u.PersonID] = u
	delete(d.used.behind, u.PersonID)
	return before, changed
}

// unuse takes back a use that could not be stored, so that the next one is stored again.
func (d *Directory) unuse(u, before Used) {
	d.used.mu.Lock()
	defer d.used.mu.Unlock()
	if d.used.of[u.PersonID].Platform != u.Platform {
		return
	}
	d.used.of[u.PersonID] = before
	if before.Platform == u.Platform {
		d.used.behind[u.PersonID] = true
	}
}

// Reached lists the platforms on which a person has a confirmed account that messages can go to, in order.
func (d *Directory) Reached(personID uuid.UUID) []string {
	var out []string
	for _, key := range d.ofPerson[personID] {
		if i := d.identities[key]; i.State == Confirmed && i.Kind != Gone && (len(out) == 0 || out[len(out)-1] != i.Platform) {
			out = append(out, i.Platform)
		}
	}
	return out
}
