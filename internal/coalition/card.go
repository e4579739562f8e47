package coalition

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"path"
	"strings"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/keys"
)

// The kinds of cards.
const (
	hostCardKind        = "muster host card v1"
	coordinatorCardKind = "muster coordinator card v1"
)

// maxCardSize bounds a card: a few short fields and one HPKE key of each suite.
const maxCardSize = 16 << 10

// SignedFile is a file of those that are exchanged before there is a charter:
// its canonical bytes and the note with the sender's signature.
type SignedFile struct {
	Body      []byte
	Signature []byte
}

// Digest returns SHA-256 of the canonical bytes.
func (s SignedFile) Digest() [sha256.Size]byte { return sha256.Sum256(s.Body) }

// HostCard is how a host introduces itself before there is a charter: who it
// is, where it will serve, and the public parts of its keys. It is signed with
// the key that it shows, which proves possession and nothing else: two people
// compare its fingerprint in words.
type HostCard struct {
	Kind        string      `json:"kind"`
	Member      MemberID    `json:"member"`
	URL         string      `json:"url"`
	Key         keys.Public `json:"key"`
	HPKE        string      `json:"hpke_configs"` // base64url of its HpkeConfigList
	Certificate string      `json:"certificate"`  // see [Pin]
}

// CoordinatorCard does the same for the coordinator, who serves nothing.
type CoordinatorCard struct {
	Kind        string      `json:"kind"`
	Coalition   string      `json:"coalition"`
	Key         keys.Public `json:"key"`
	HPKE        string      `json:"hpke_config"` // base64url of its HpkeConfig
	Certificate string      `json:"certificate"`
}

// NewHostCard returns a host's card.
func NewHostCard(member MemberID, address string, key keys.Public, configs dap.HpkeConfigList, certificate string) (HostCard, error) {
	encoded, err := dap.Encode(dap.Variant18, configs)
	if err != nil {
		return HostCard{}, err
	}
	return HostCard{
		Kind: hostCardKind, Member: member, URL: address, Key: key,
		HPKE: base64.RawURLEncoding.EncodeToString(encoded), Certificate: certificate,
	}, nil
}

// NewCoordinatorCard returns a coordinator's card.
func NewCoordinatorCard(coalition string, key keys.Public, config dap.HpkeConfig, certificate string) (CoordinatorCard, error) {
	encoded, err := dap.Encode(dap.Variant18, config)
	if err != nil {
		return CoordinatorCard{}, err
	}
	return CoordinatorCard{
		Kind: coordinatorCardKind, Coalition: coalition, Key: key,
		HPKE: base64.RawURLEncoding.EncodeToString(encoded), Certificate: certificate,
	}, nil
}

// Sign checks the card and returns it signed by its own key.
func (c HostCard) Sign(signer *keys.Signer) (SignedFile, error) {
	if err := c.Check(); err != nil {
		return SignedFile{}, err
	}
	return signFile(keys.KindHostCard, c, signer)
}

// Sign checks the card and returns it signed by its own key.
func (c CoordinatorCard) Sign(signer *keys.Signer) (SignedFile, error) {
	if err := c.Check(); err != nil {
		return SignedFile{}, err
	}
	return signFile(keys.KindCoordinatorCard, c, signer)
}

func signFile(kind keys.Kind, v any, signer *keys.Signer) (SignedFile, error) {
	body, err := keys.Canonical(v)
	if err != nil {
		return SignedFile{}, err
	}
	sig, err := keys.Sign(kind, body, signer)
	return SignedFile{Body: body, Signature: sig}, err
}

// OpenHostCard reads a host's card and checks that its own key signed it.
func OpenHostCard(s SignedFile) (HostCard, error) {
	var c HostCard
	if err := decodeFile(keys.KindHostCard, s, &c); err != nil {
		return HostCard{}, err
	}
	if err := c.Check(); err != nil {
		return HostCard{}, err
	}
	return c, keys.Verify(keys.KindHostCard, s.Body, s.Signature, c.Key)
}

// OpenCoordinatorCard does the same with a coordinator's card.
func OpenCoordinatorCard(s SignedFile) (CoordinatorCard, error) {
	var c CoordinatorCard
	if err := decodeFile(keys.KindCoordinatorCard, s, &c); err != nil {
		return CoordinatorCard{}, err
	}
	if err := c.Check(); err != nil {
		return CoordinatorCard{}, err
	}
	return c, keys.Verify(keys.KindCoordinatorCard, s.Body, s.Signature, c.Key)
}

func decodeFile(kind keys.Kind, s SignedFile, v any) error {
	if len(s.Body) > maxCardSize {
		return errs.New(errs.Invalid, "the "+string(kind)+" is too large to be one", "")
	}
	if err := keys.DecodeCanonical(s.Body, v); err != nil {
		return errs.Wrap(err, errs.Invalid, "this is no "+string(kind)+" as muster wrote it", "ask the sender for the file and its .sig again, unchanged")
	}
	return nil
}

// Check holds what every host card must be.
func (c HostCard) Check() error {
	if c.Kind != hostCardKind {
		return errs.New(errs.Invalid, "the host card is of kind "+errs.Quote(c.Kind), "")
	}
	if id, err := ParseMemberID(string(c.Member)); err != nil || id != c.Member {
		return errs.New(errs.Invalid, "the host card names "+errs.Quote(string(c.Member))+", which is no member name", "")
	}
	if err := CheckURL(c.URL); err != nil {
		return err
	}
	if _, err := c.HPKEConfigs(); err != nil {
		return err
	}
	return checkCard("host card", c.Key, c.Certificate)
}

// Check holds what every coordinator card must be.
func (c CoordinatorCard) Check() error {
	if c.Kind != coordinatorCardKind {
		return errs.New(errs.Invalid, "the coordinator card is of kind "+errs.Quote(c.Kind), "")
	}
	if fault := NameFault(c.Coalition); fault != "" {
		return errs.New(errs.Invalid, "the coordinator card names a coalition "+errs.Quote(c.Coalition)+", which "+fault, "")
	}
	if _, err := c.HPKEConfig(); err != nil {
		return err
	}
	return checkCard("coordinator card", c.Key, c.Certificate)
}

func checkCard(what string, key keys.Public, certificate string) error {
	if b, err := hex.DecodeString(certificate); err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != certificate {
		return errs.New(errs.Invalid, "the "+what+" pins "+errs.Quote(certificate)+", which is no SHA-256 in hex", "")
	}
	return key.Check()
}

// HPKEConfigs returns the host's configurations. Each is of a suite that is
// known here: what cannot be sealed for does not belong on a card.
func (c HostCard) HPKEConfigs() (dap.HpkeConfigList, error) {
	var list dap.HpkeConfigList
	if err := unmarshal64(c.HPKE, &list); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the host card has a broken HPKE configuration", "")
	}
	for _, config := range list {
		if _, ok := config.Suite(); !ok {
			return nil, errs.New(errs.Invalid, "the host card has an HPKE configuration of an unknown suite", "use one release of muster at both hosts")
		}
	}
	return list, nil
}

// HPKEConfig returns the coordinator's configuration.
func (c CoordinatorCard) HPKEConfig() (dap.HpkeConfig, error) {
	var config dap.HpkeConfig
	if err := unmarshal64(c.HPKE, &config); err != nil {
		return config, errs.Wrap(err, errs.Invalid, "the coordinator card has a broken HPKE configuration", "")
	}
	if _, ok := config.Suite(); !ok {
		return config, errs.New(errs.Invalid, "the coordinator card has an HPKE configuration of an unknown suite", "")
	}
	return config, nil
}

// Digest returns SHA-256 of the card's canonical bytes: what its fingerprint in
// words is of, and what the ceremony is bound to.
func (c HostCard) Digest() [sha256.Size]byte { return digestOf(c) }

// Digest returns SHA-256 of the card's canonical bytes.
func (c CoordinatorCard) Digest() [sha256.Size]byte { return digestOf(c) }

// digestOf is for structures of texts, which always have a canonical form if
// they came out of one.
func digestOf(v any) [sha256.Size]byte {
	body, err := keys.Canonical(v)
	if err != nil {
		panic("coalition: a card without canonical form: " + err.Error())
	}
	return sha256.Sum256(body)
}

// CheckURL refuses what cannot be the address under which a host serves: it is
// bound into the cryptography byte by byte, so there is one form of it.
func CheckURL(address string) error {
	refuse := func(what string) error {
		return errs.New(errs.Invalid, "the url "+errs.Quote(address)+" "+what, "a url reads https://host.example/ or https://host.example:8443/path/")
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' }):
		return refuse("is no URL in plain ASCII")
	case u.Scheme != "https" || u.Hostname() == "":
		return refuse("is no https URL")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(address, "#"):
		return refuse("has more than host, port and path")
	case u.RawPath != "" || strings.ContainsAny(u.Path, "{}%"):
		return refuse("has characters in its path that need escaping")
	case !strings.HasSuffix(u.Path, "/") || strings.Contains(u.Path, "//") || (u.Path != "/" && path.Clean(u.Path)+"/" != u.Path):
		return refuse("has a path that does not end in / or is not in its shortest form")
	case u.String() != address || u.Host != strings.ToLower(u.Host):
		return refuse("is not in its usual form")
	}
	return nil
}
