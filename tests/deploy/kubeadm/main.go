// Reads a configuration file as kubeadm does, by its own code: an unknown field is an error.
//
// Usage: kubeadm FILE; prints a line for each of kubeadm's own documents, {KIND: DOCUMENT}, in the form that all versions of
// its API are converted to.
//
// go.mod is that of the newest kubeadm; of another one: go build -modfile=go-1.34.mod. A new version takes a copy of go.mod
// with other numbers, and go mod tidy -modfile=COPY.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/yaml"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm"
	"k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/scheme"
	"k8s.io/kubernetes/cmd/kubeadm/app/util/config/strict"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	log.SetFlags(0)
	file, err := os.Open(os.Args[1])
	check(err)
	for reader := yaml.NewYAMLReader(bufio.NewReader(file)); ; {
		document, err := reader.Read()
		if err == io.EOF {
			return
		}
		check(err)
		kind, err := serializer.DefaultMetaFactory.Interpret(document)
		check(err)
		if kind.Group != kubeadm.GroupName {
			continue
		}
		check(strict.VerifyUnmarshalStrict([]*runtime.Scheme{scheme.Scheme}, *kind, document))
		object, err := runtime.Decode(scheme.Codecs.UniversalDecoder(kubeadm.SchemeGroupVersion), document)
		check(err)
		check(json.NewEncoder(os.Stdout).Encode(map[string]runtime.Object{kind.Kind: object}))
	}
}
