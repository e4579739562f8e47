package dap

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"errors"
	"fmt"
	"log/slog"
)

// Why a sealed share was not opened, or not sealed.
var (
	// ErrUnknownConfigID means that the ciphertext names another key pair.
	ErrUnknownConfigID = errors.New("dap: sealed for another HPKE configuration")
	// ErrDecrypt means that the ciphertext does not open: it was altered, or
	// sealed for another key, role, variant, task configuration or report.
	// Which of them, nobody can tell.
	ErrDecrypt = errors.New("dap: sealed share does not open")
	// ErrSuite means that a configuration has algorithms that this package
	// lacks, or a public key that does not belong to them.
	ErrSuite = errors.New("dap: unsupported HPKE suite")
)

// An HpkeConfig is a public key and the algorithms it is for (section 4.4.1).
type HpkeConfig struct {
	ID        uint8 // distinct among the configurations of one participant
	KemID     uint16
	KdfID     uint16
	AeadID    uint16
	PublicKey []byte
}

// An HpkeConfigList is what an aggregator offers, the best first: at least one
// configuration, with distinct ids. It may hold suites that are unknown here.
type HpkeConfigList []HpkeConfig

// An HpkeCiphertext is a message sealed for the configuration ConfigID.
type HpkeCiphertext struct {
	ConfigID uint8
	Enc      []byte // the encapsulated key
	Payload  []byte // ciphertext and tag
}

// A Suite is a set of HPKE algorithms (RFC 9180, section 7).
type Suite uint8

// The suites. Both use HKDF-SHA256 and AES-128-GCM.
const (
	// SuiteX25519 is the one that every DAP implementation has (section 7):
	// DHKEM(X25519, HKDF-SHA256).
	SuiteX25519 Suite = iota + 1
	// SuiteMLKEM768X25519 also resists a quantum computer as long as ML-KEM
	// does: MLKEM768-X25519, also known as X-Wing. Its public key has 1,216
	// bytes and its encapsulated key 1,120.
	SuiteMLKEM768X25519
)

// String returns the names of the algorithms.
func (s Suite) String() string {
	switch s {
	case SuiteX25519:
		return "X25519-HKDF-SHA256-AES-128-GCM"
	case SuiteMLKEM768X25519:
		return "MLKEM768X25519-HKDF-SHA256-AES-128-GCM"
	}
	return fmt.Sprintf("Suite(%d)", uint8(s))
}

func (s Suite) kem() (hpke.KEM, error) {
	switch s {
	case SuiteX25519:
		return hpke.DHKEM(ecdh.X25519()), nil
	case SuiteMLKEM768X25519:
		return hpke.MLKEM768X25519(), nil
	}
	return nil, fmt.Errorf("%w: %s", ErrSuite, s)
}

// Suite returns the suite of the configuration, and false if this package
// lacks it.
func (c HpkeConfig) Suite() (Suite, bool) {
	if c.KdfID != hpke.HKDFSHA256().ID() || c.AeadID != hpke.AES128GCM().ID() {
		return 0, false
	}
	for _, s := range []Suite{SuiteX25519, SuiteMLKEM768X25519} {
		if kem, err := s.kem(); err == nil && kem.ID() == c.KemID {
			return s, true
		}
	}
	return 0, false
}

// Choose returns the first configuration whose suite is one of those allowed.
func (l HpkeConfigList) Choose(allowed ...Suite) (HpkeConfig, error) {
	for _, c := range l {
		suite, ok := c.Suite()
		for _, a := range allowed {
			if ok && suite == a {
				return c, nil
			}
		}
	}
	return HpkeConfig{}, fmt.Errorf("%w: none of %d configurations is one of %v", ErrSuite, len(l), allowed)
}

// An HpkeKeypair is a configuration with its private key. It is immutable and
// safe for concurrent use. Formatting and logging it shows the configuration
// alone.
type HpkeKeypair struct {
	config HpkeConfig
	// Behind a pointer, so that fmt stops there even where it cannot call
	// Format: in an unexported field of somebody else's structure.
	private *hpkePrivateKey
}

type hpkePrivateKey struct{ hpke.PrivateKey }

// GenerateHpkeKeypair makes a new key pair.
//
// Its randomness, and that of sealing, is crypto/hpke's own, which takes no
// source: with one in hand a caller could repeat an encapsulation, and two
// shares sealed under one key and nonce would reveal each other. Tests that
// need a fixed key use [DeriveHpkeKeypair].
func GenerateHpkeKeypair(id uint8, suite Suite) (*HpkeKeypair, error) {
	kem, err := suite.kem()
	if err != nil {
		return nil, err
	}
	private, err := kem.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("dap: HPKE key: %w", err)
	}
	return newHpkeKeypair(id, private), nil
}

// DeriveHpkeKeypair makes the key pair that belongs to secret (DeriveKeyPair
// of RFC 9180, section 7.1.3), which must have at least 32 bytes from a
// cryptographic random source.
func DeriveHpkeKeypair(id uint8, suite Suite, secret []byte) (*HpkeKeypair, error) {
	kem, err := suite.kem()
	if err != nil {
		return nil, err
	}
	if len(secret) < 32 {
		return nil, fmt.Errorf("dap: secret of %d bytes; allowed: at least 32", len(secret))
	}
	private, err := kem.DeriveKeyPair(secret)
	if err != nil {
		return nil, errors.New("dap: no HPKE key can be derived")
	}
	return newHpkeKeypair(id, private), nil
}

func newHpkeKeypair(id uint8, private hpke.PrivateKey) *HpkeKeypair {
	return &HpkeKeypair{
		config: HpkeConfig{
			ID:        id,
			KemID:     private.KEM().ID(),
			KdfID:     hpke.HKDFSHA256().ID(),
			AeadID:    hpke.AES128GCM().ID(),
			PublicKey: private.PublicKey().Bytes(),
		},
		private: &hpkePrivateKey{private},
	}
}

// ParseHpkeKeypair returns the key pair of that configuration and the private
// key that [HpkeKeypair.PrivateBytes] returned. It refuses a private key that
// does not belong to the public one. Its errors hold nothing of the key.
func ParseHpkeKeypair(config HpkeConfig, private []byte) (*HpkeKeypair, error) {
	suite, ok := config.Suite()
	if !ok {
		return nil, ErrSuite
	}
	kem, err := suite.kem()
	if err != nil {
		return nil, err
	}
	key, err := kem.NewPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("dap: %d bytes are no private key of %s", len(private), suite)
	}
	k := newHpkeKeypair(config.ID, key)
	if !bytes.Equal(k.config.PublicKey, config.PublicKey) {
		return nil, errors.New("dap: private key does not belong to the public key")
	}
	return k, nil
}

// Config returns the public part.
func (k *HpkeKeypair) Config() HpkeConfig {
	c := k.config
	c.PublicKey = bytes.Clone(c.PublicKey)
	return c
}

// PrivateBytes returns the private key (SerializePrivateKey of RFC 9180; 32
// bytes in both suites). Whoever calls it keeps it secret.
func (k *HpkeKeypair) PrivateBytes() ([]byte, error) {
	b, err := k.private.Bytes()
	if err != nil {
		return nil, errors.New("dap: private key cannot be serialised")
	}
	return b, nil
}

// Format prints the configuration's number and suite, whatever the verb.
func (k HpkeKeypair) Format(f fmt.State, _ rune) {
	suite, _ := k.config.Suite()
	fmt.Fprintf(f, "HpkeKeypair(%d, %s)", k.config.ID, suite)
}

// LogValue logs the configuration's number and suite.
func (k HpkeKeypair) LogValue() slog.Value {
	suite, _ := k.config.Suite()
	return slog.GroupValue(slog.Int("config_id", int(k.config.ID)), slog.String("suite", suite.String()))
}

// seal is SealBase of RFC 9180.
func seal(to HpkeConfig, info, aad, plaintext []byte) (HpkeCiphertext, error) {
	suite, ok := to.Suite()
	if !ok {
		return HpkeCiphertext{}, ErrSuite
	}
	kem, err := suite.kem()
	if err != nil {
		return HpkeCiphertext{}, err
	}
	public, err := kem.NewPublicKey(to.PublicKey)
	if err != nil {
		return HpkeCiphertext{}, fmt.Errorf("%w: %d bytes are no public key of %s", ErrSuite, len(to.PublicKey), suite)
	}
	enc, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.AES128GCM(), info)
	if err != nil {
		// The key has a well-formed encoding but no shared secret with anyone.
		return HpkeCiphertext{}, fmt.Errorf("%w: unusable public key", ErrSuite)
	}
	payload, err := sender.Seal(aad, plaintext)
	if err != nil {
		return HpkeCiphertext{}, fmt.Errorf("dap: seal: %w", err)
	}
	return HpkeCiphertext{ConfigID: to.ID, Enc: enc, Payload: payload}, nil
}

// open is OpenBase of RFC 9180. The plaintext is the caller's.
func (k *HpkeKeypair) open(info, aad []byte, c HpkeCiphertext) ([]byte, error) {
	if c.ConfigID != k.config.ID {
		return nil, ErrUnknownConfigID
	}
	recipient, err := hpke.NewRecipient(c.Enc, k.private.PrivateKey, hpke.HKDFSHA256(), hpke.AES128GCM(), info)
	if err != nil {
		return nil, ErrDecrypt
	}
	plaintext, err := recipient.Open(aad, c.Payload)
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}

func (c HpkeConfig) write(w *writer) {
	w.u8(c.ID)
	w.u16(c.KemID)
	w.u16(c.KdfID)
	w.u16(c.AeadID)
	w.opaque("public_key", prefix16, 1, c.PublicKey)
}

func (c *HpkeConfig) read(r *reader) {
	c.ID = r.u8("id")
	c.KemID = r.u16("kem_id")
	c.KdfID = r.u16("kdf_id")
	c.AeadID = r.u16("aead_id")
	c.PublicKey = r.opaque("public_key", prefix16, 1)
}

// maxConfigs is how many configurations can have distinct ids.
const maxConfigs = 256

func (l HpkeConfigList) write(w *writer) {
	w.checkConfigs(l)
	w.vector("configs", prefix16, func() { writeList(w, "configs", maxConfigs, l) })
}

func (l *HpkeConfigList) read(r *reader) {
	n := r.length("configs", prefix16)
	outer := r.end
	r.end = r.off + n
	*l = readList[HpkeConfig](r, "configs", maxConfigs)
	r.end = outer
	r.checkConfigs(*l)
}

func (c *cursor) checkConfigs(l HpkeConfigList) {
	c.notEmpty("configs", len(l))
	var seen [maxConfigs]bool
	for _, config := range l {
		if seen[config.ID] {
			c.fail(ErrMalformed, "configs", "id %d twice", config.ID)
		}
		seen[config.ID] = true
	}
}

func (c HpkeCiphertext) write(w *writer) {
	w.u8(c.ConfigID)
	w.opaque("enc", prefix16, 1, c.Enc)
	w.opaque("payload", prefix32, 1, c.Payload)
}

func (c *HpkeCiphertext) read(r *reader) {
	c.ConfigID = r.u8("config_id")
	c.Enc = r.opaque("enc", prefix16, 1)
	c.Payload = r.opaque("payload", prefix32, 1)
}

func (w *writer) ciphertext(field string, c HpkeCiphertext) {
	w.enter(field)
	c.write(w)
	w.leave()
}

func (r *reader) ciphertext(field string, c *HpkeCiphertext) {
	r.enter(field)
	c.read(r)
	r.leave()
}
