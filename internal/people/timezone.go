package people

import (
	"fmt"
	"sync"
	"time"
)

// zones keeps what was loaded: time.LoadLocation reads a file each time.
var zones sync.Map // string to *time.Location

func location(name string) (*time.Location, error) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("no time zone in %q", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("loading time zone: %w", err)
	}
	zones.Store(name, loc)
	return loc, nil
}
