//go:build !linux && !darwin

package app

import "huiyin/internal/config"

// disk has no portable way to ask here.
func (e *examination) disk(config.Config) {}
