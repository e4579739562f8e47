package cli

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/keys"
)

func newHostShowCmd(env Env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show CARD",
		Short: "Check a card and print its fingerprint in words",
		Long: `Check the card of a host or of the coordinator, and print what it shows and its
fingerprint in words. The signature beside a card proves that its sender has the
keys, not who the sender is: for that, have the other side read its words out,
and compare them with these.`,
		Example: `  muster host show calverra/host-card.json`,
		Args:    oneArg("CARD"),
		RunE: func(_ *cobra.Command, args []string) error {
			view, err := readCard(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(env.Out).Encode(view)
			}
			return view.write(env)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// cardView is a card as it is shown.
type cardView struct {
	Kind        string      `json:"kind"` // "host" or "coordinator"
	Name        string      `json:"name"`
	URL         string      `json:"url,omitempty"`
	Key         keys.Public `json:"key"`
	Suites      []string    `json:"suites"`
	Certificate string      `json:"certificate"`
	Digest      string      `json:"digest"`
	Words       []string    `json:"words"`
}

// readCard reads a card of either kind.
func readCard(path string) (cardView, error) {
	file, err := readSigned(path, "card")
	if err != nil {
		return cardView{}, err
	}
	if c, err := coalition.OpenCoordinatorCard(file); err == nil {
		config, err := c.HPKEConfig()
		if err != nil {
			return cardView{}, err
		}
		return newCardView("coordinator", c.Coalition, "", c.Key, dap.HpkeConfigList{config}, c.Certificate, c.Digest()), nil
	} else if isCoordinatorCard(file) {
		return cardView{}, err
	}
	c, _, err := openCard(path)
	if err != nil {
		return cardView{}, err
	}
	configs, err := c.HPKEConfigs()
	if err != nil {
		return cardView{}, err
	}
	return newCardView("host", string(c.Member), c.URL, c.Key, configs, c.Certificate, c.Digest()), nil
}

// isCoordinatorCard reports whether a file that cannot be opened was meant as one.
func isCoordinatorCard(file coalition.SignedFile) bool {
	return strings.HasPrefix(kindOf(file.Body), "muster coordinator card")
}

func newCardView(kind, name, address string, key keys.Public, configs dap.HpkeConfigList, certificate string, digest [32]byte) cardView {
	v := cardView{Kind: kind, Name: name, URL: address, Key: key, Certificate: certificate, Digest: hex.EncodeToString(digest[:]), Words: keys.Words(digest)}
	for _, config := range configs {
		suite, _ := config.Suite()
		v.Suites = append(v.Suites, suite.String())
	}
	return v
}

func (v cardView) write(env Env) error {
	var b strings.Builder
	fmt.Fprintf(&b, "The card of the %s %s:\n\n", v.Kind, v.Name)
	if v.URL != "" {
		fmt.Fprintf(&b, "  url          %s\n", v.URL)
	}
	fmt.Fprintf(&b, "  signing key  %s\n  sealed with  %s\n  TLS key      %s\n  digest       %s\n\n", v.Key, strings.Join(v.Suites, ", "), v.Certificate, v.Digest)
	for i := 0; i < len(v.Words); i += 4 {
		fmt.Fprintf(&b, "  %s\n", strings.Join(v.Words[i:i+4], " "))
	}
	_, err := env.Out.Write([]byte(b.String()))
	return err
}
