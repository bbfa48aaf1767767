// Asks for an image's login as nydus-snapshotter does, by its own code: its configuration, the kubelet's file, exec.
//
// Usage: nydus CONFIG_TOML IMAGE; prints the login as JSON. What the snapshotter would ignore in its file is an error.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"

	"github.com/containerd/nydus-snapshotter/config"
	"github.com/containerd/nydus-snapshotter/pkg/auth"
	"github.com/pelletier/go-toml"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	check(err)
	check(toml.NewDecoder(bytes.NewReader(text)).Strict(true).Decode(&config.SnapshotterConfig{}))
	loaded, err := config.LoadSnapshotterConfig(os.Args[1])
	check(err)
	remote := loaded.RemoteConfig.AuthConfig
	if !remote.EnableKubeletCredentialProviders || remote.CredentialRenewalInterval == 0 {
		log.Fatal("credential providers or the renewal are off")
	}
	provider, err := auth.NewKubeletProvider(remote.CredentialProviderConfig, remote.CredentialProviderBinDir)
	check(err)
	login, err := provider.GetCredentials(&auth.AuthRequest{Ref: os.Args[2]})
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(login))
}
