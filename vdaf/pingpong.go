package vdaf

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The messages of the ping-pong topology for two aggregators, VDAF-20 section 5.7.1: a type byte and
// an opaque field of up to 2**32 - 1 bytes. Prio3 has one round, so there is never a "continue".
const (
	pingPongInitialize = 0
	pingPongFinish     = 2
	pingPongHeader     = 5 // the type and the length
)

// LeaderInit begins the verification of a report at the Leader and appends the message "initialize"
// for the Helper to dst.
func (v *Verifier) LeaderInit(s *State, nonce *[NonceSize]byte, publicShare, inputShare, dst []byte) ([]byte, error) {
	s.phase = phaseNone
	if err := v.pingPong(0); err != nil {
		return nil, err
	}
	dst = appendPingPong(dst, pingPongInitialize, v.p.VerifierShareSize())
	return v.Init(s, nonce, publicShare, inputShare, dst)
}

// HelperInit verifies a report at the Helper, given the Leader's "initialize", and appends the
// message "finish" for the Leader to dst. Then s holds a verified output share. It is ErrVerify if
// the report is not valid.
func (v *Verifier) HelperInit(s *State, nonce *[NonceSize]byte, publicShare, inputShare, inbound, dst []byte) ([]byte, error) {
	s.phase = phaseNone
	if err := v.pingPong(1); err != nil {
		return nil, err
	}
	leader, err := parsePingPong(inbound, pingPongInitialize)
	if err != nil {
		return nil, err
	}
	own, err := v.Init(s, nonce, publicShare, inputShare, v.share[:0])
	if err != nil {
		return nil, err
	}
	v.pair = [2][]byte{leader, own}
	dst = appendPingPong(dst, pingPongFinish, v.p.VerifierMessageSize())
	start := len(dst)
	dst, err = v.engine.combine(dst, v.pair[:])
	v.pair[0] = nil
	if err != nil {
		s.phase = phaseNone
		return nil, err
	}
	if err := s.Next(dst[start:]); err != nil {
		return nil, err
	}
	return dst, nil
}

// LeaderFinish ends the verification of a report at the Leader, given the Helper's "finish". Then s
// holds a verified output share. It is ErrVerify if the report is not valid.
func (v *Verifier) LeaderFinish(s *State, inbound []byte) error {
	if err := v.pingPong(0); err != nil {
		return err
	}
	message, err := parsePingPong(inbound, pingPongFinish)
	if err != nil {
		s.phase = phaseNone
		return err
	}
	return s.Next(message)
}

// pingPong refuses what the topology is not made for.
func (v *Verifier) pingPong(aggregator uint8) error {
	if v.p.shares != 2 {
		return fmt.Errorf("vdaf: ping-pong is for two aggregators, not %d", v.p.shares)
	}
	if v.aggregator != aggregator {
		return errors.New("vdaf: this step belongs to the other aggregator")
	}
	return nil
}

func appendPingPong(dst []byte, messageType byte, length int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, messageType), uint32(length))
}

// parsePingPong returns the field of a message that must be of the given type and nothing else.
func parsePingPong(b []byte, messageType byte) ([]byte, error) {
	if len(b) < pingPongHeader || b[0] != messageType || uint64(binary.BigEndian.Uint32(b[1:])) != uint64(len(b)-pingPongHeader) {
		return nil, fmt.Errorf("ping-pong message: %w", ErrDecode)
	}
	return b[pingPongHeader:], nil
}
