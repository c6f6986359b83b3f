package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// node is one JSON object of Block Kit, read leniently: whether it is valid is the simulator's business.
type node map[string]any

func nodeOf(raw []byte) node {
	var n node
	decodeInto(raw, &n)
	return n
}

type nodes []node

func nodesOf(raw []byte) nodes {
	var ns nodes
	decodeInto(raw, &ns)
	return ns
}

// decodeInto keeps numbers as they are written; what is no JSON of that shape is nothing.
func decodeInto(raw []byte, into any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	_ = d.Decode(into) // the simulator has validated it; a test's raw text may be anything
}

func (n node) str(k string) string {
	switch v := n[k].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func (n node) flag(k string) bool {
	b, _ := n[k].(bool)
	return b
}

func (n node) num(k string) int {
	var f float64
	_, err := fmt.Sscan(n.str(k), &f)
	if err != nil {
		return 0
	}
	return int(f)
}

func (n node) has(k string) bool { return n[k] != nil }

func (n node) node(k string) node {
	m, _ := n[k].(map[string]any)
	return m
}

func (n node) nodes(k string) nodes { return nodesIn(n[k]) }

// nodesIn are the objects of a list; other things in it are left out.
func nodesIn(v any) nodes {
	list, _ := v.([]any)
	var out nodes
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// any is the list as decoding gives it.
func (ns nodes) any() any {
	out := make([]any, len(ns))
	for i, n := range ns {
		out[i] = map[string]any(n)
	}
	return out
}
