package survey

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

//go:embed questionnaires/*.json
var shipped embed.FS

// Standard reads the questionnaires that come with the product, by key: "360" (S3-10: collaboration, problem solving, service,
// communication), "pulse" (satisfaction and fairness, S4-31) and "service" (internal customers on a department, S4-21, S4-34, S3-33).
func Standard() (map[string]Questionnaire, error) {
	entries, err := shipped.ReadDir("questionnaires")
	if err != nil {
		return nil, fmt.Errorf("listing the questionnaires: %w", err)
	}
	out := make(map[string]Questionnaire, len(entries))
	for _, e := range entries {
		raw, err := shipped.ReadFile(path.Join("questionnaires", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading a questionnaire: %w", err)
		}
		q, err := ParseQuestionnaire(raw)
		if err != nil {
			return nil, fmt.Errorf("questionnaire %s: %w", e.Name(), err)
		}
		out[q.Key] = q
	}
	return out, nil
}

// ParseQuestionnaire reads a questionnaire from JSON; unknown fields are refused. Questions without an id get the one of their words.
func ParseQuestionnaire(raw []byte) (Questionnaire, error) {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	var q Questionnaire
	if err := d.Decode(&q); err != nil {
		return Questionnaire{}, fmt.Errorf("reading a questionnaire: %w", err)
	}
	return q.Complete(), nil
}
