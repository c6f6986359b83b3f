package notice

import (
	"time"

	"github.com/google/uuid"
)

// Claimed is one occurrence of recurring work. Whoever claimed it is the only one who did.
type Claimed struct {
	OrgID uuid.UUID
	Name  string
	At    time.Time // when it was due, which may be a while ago
}
