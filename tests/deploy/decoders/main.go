// Reads a file of deploy as those will who use it, by their own code: an unknown field is an error.
//
// Usage: decoders CONSUMER FILE; prints what they make of it, a JSON document a line. The module also builds kind.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log"
	"os"

	"github.com/coreos/butane/config"
	"github.com/coreos/butane/config/common"
	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	bootstrap "sigs.k8s.io/cluster-api/api/bootstrap/kubeadm/v1beta2"
	controlplane "sigs.k8s.io/cluster-api/api/controlplane/kubeadm/v1beta2"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Prints the documents of a YAML text, of kinds that the scheme knows.
func show(scheme *runtime.Scheme, text []byte) {
	strict := serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, scheme, scheme,
		serializer.SerializerOptions{Yaml: true, Strict: true})
	for reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := reader.Read()
		if err == io.EOF {
			return
		}
		check(err)
		object, _, err := strict.Decode(document, nil, nil)
		check(err)
		check(json.NewEncoder(os.Stdout).Encode(object))
	}
}

func clusterAPI(path string) {
	scheme := runtime.NewScheme()
	check(bootstrap.AddToScheme(scheme))
	check(controlplane.AddToScheme(scheme))
	text, err := os.ReadFile(path)
	check(err)
	show(scheme, text)
}

// What a folder is built into, as the API server decodes it.
func kustomize(path string) {
	scheme := runtime.NewScheme()
	check(apps.AddToScheme(scheme))
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), path)
	check(err)
	text, err := built.AsYaml()
	check(err)
	show(scheme, text)
}

// The Ignition configuration that Butane makes of it with --strict.
func butane(path string) {
	text, err := os.ReadFile(path)
	check(err)
	ignition, report, err := config.TranslateBytes(text, common.TranslateBytesOptions{})
	if err != nil || len(report.Entries) > 0 {
		log.Fatal(report.String(), err)
	}
	_, err = os.Stdout.Write(append(ignition, '\n'))
	check(err)
}

func main() {
	log.SetFlags(0)
	consumers := map[string]func(path string){"butane": butane, "cluster-api": clusterAPI, "kustomize": kustomize}
	consumers[os.Args[1]](os.Args[2])
}
