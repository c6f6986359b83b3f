package people

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/fault"
)

// freshFor is how long a snapshot is used before it is compared with the store again. Writes do not depend on it: they are refused when
// they were decided on an outdated directory. It bounds how long another replica's change of a language goes unnoticed.
const freshFor = 2 * time.Second

// Cache holds the present snapshot of every firm, and which firm a workspace belongs to. It is safe for concurrent use; of many who
// miss the same snapshot one reads it.
type Cache struct {
	store Store
	now   func() time.Time

	mu      sync.Mutex
	firms   map[uuid.UUID]*firm
	tenants map[[2]string]Org
}

type firm struct {
	busy chan struct{} // holds one while somebody compares; unlike a mutex it can be waited for until a deadline
	dir  *Directory
	at   time.Time // when it was last compared with the store
}

// NewCache makes an empty cache.
func NewCache(store Store, now func() time.Time) *Cache {
	return &Cache{store: store, now: now, firms: map[uuid.UUID]*firm{}, tenants: map[[2]string]Org{}}
}

// OrgOf is Store.OrgOf, remembered: a workspace never moves to another firm.
func (c *Cache) OrgOf(ctx context.Context, platform, tenant string) (Org, error) {
	key := [2]string{platform, tenant}
	c.mu.Lock()
	org, ok := c.tenants[key]
	c.mu.Unlock()
	if ok {
		return org, nil
	}
	org, err := c.store.OrgOf(ctx, platform, tenant)
	if err != nil {
		return Org{}, err
	}
	c.mu.Lock()
	c.tenants[key] = org
	c.mu.Unlock()
	return org, nil
}

// Get gives a snapshot that is at most freshFor behind the store.
func (c *Cache) Get(ctx context.Context, orgID uuid.UUID) (*Directory, error) {
	return c.get(ctx, orgID, freshFor)
}

// Refresh gives a snapshot that has just been compared with the store: after a fault of kind Stale, or one's own write.
func (c *Cache) Refresh(ctx context.Context, orgID uuid.UUID) (*Directory, error) {
	return c.get(ctx, orgID, 0)
}

func (c *Cache) get(ctx context.Context, orgID uuid.UUID, age time.Duration) (*Directory, error) {
	c.mu.Lock()
	f := c.firms[orgID]
	if f == nil {
		f = &firm{busy: make(chan struct{}, 1)}
		c.firms[orgID] = f
	}
	c.mu.Unlock()
	select {
	case f.busy <- struct{}{}:
		defer func() { <-f.busy }()
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "people.directory.busy").Because(ctx.Err())
	}
	now := c.now()
	if f.dir != nil && age > 0 && now.Sub(f.at).Abs() < age {
		return f.dir, nil
	}
	var dir *Directory
	var err error
	if f.dir == nil {
		dir, err = c.store.Load(ctx, orgID)
	} else {
		dir, err = c.store.Since(ctx, f.dir)
	}
	if err != nil {
		return nil, err
	}
	f.dir, f.at = dir, now
	return dir, nil
}
