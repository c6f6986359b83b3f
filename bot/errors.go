package bot

import "errors"

// ErrUnknownOutcome marks a send whose answer never came: it may have been delivered. It must not be repeated before Find has
// looked, at least ten seconds later.
var ErrUnknownOutcome = errors.New("unknown outcome")

// ErrNotYet is what Accounts gives when it is too early to list everybody again; it has yielded nothing. There is nothing to do: what
// changed since the last listing came as events, and what is remembered of it says nothing of who is there now.
var ErrNotYet = errors.New("too early to list again")
