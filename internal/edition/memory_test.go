package edition_test

import (
	"context"

	"muster/internal/coalition"
	"muster/internal/cycle/cycletest"
	"muster/internal/silence"
)

const cycletestCoalition = cycletest.Coalition

// memory keeps one procedure.
type memory struct{ steps []coalition.SignedFile }

func (m *memory) InTx(_ context.Context, _ string, fn func(silence.Tx) error) error { return fn(m) }

func (m *memory) Steps(context.Context, string) ([]coalition.SignedFile, error) { return m.steps, nil }

func (m *memory) AppendStep(_ context.Context, _ string, _ int, step coalition.SignedFile) error {
	m.steps = append(m.steps, step)
	return nil
}

func (m *memory) Comments(context.Context, string) ([]coalition.SignedFile, error) { return nil, nil }

func (m *memory) AppendComment(context.Context, string, coalition.SignedFile) error { return nil }

func (m *memory) Breaks(context.Context, string) ([]silence.Received, error) { return nil, nil }

func (m *memory) AppendBreak(context.Context, string, silence.Received) error { return nil }
