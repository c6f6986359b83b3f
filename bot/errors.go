package bot

import "errors"

// ErrUnknownOutcome marks a send whose answer never came: it may have been delivered. It must not be repeated before Find has
// looked, at least ten seconds later.
var ErrUnknownOutcome = errors.New("unknown outcome")
