"""What the page of recipes tells to write works."""

import json
import os
import re

from identity_fixtures import NO_METADATA
from program_run import DEMO, ROOT, call, caller, pull, request, run, without_cache

with open(os.path.join(ROOT, "deploy", "recipes.md"), encoding="utf-8") as file:
    PAGE = file.read()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


MIRROR, OUTSIDE = map(json.loads, blocks("json"))


def test_login_for_a_mirror_of_docker_io(cloud, tmp_path):
    answer = pull(cloud, "docker.io/library/nginx", config=MIRROR, tmp_path=tmp_path).answer
    assert answer["auth"].keys() == {"docker.io"} and answer["auth"]["docker.io"]["password"] == cloud.cloud.issued[-1]
    # With a table, containerd would fall back to docker.io.
    assert blocks("toml") == [f'server = "https://{DEMO}"\n']


def test_profile_of_a_node_outside(cloud, tmp_path):
    """It never looks for a metadata service, and refuses a file that others can write."""
    text, = blocks("text")
    home = tmp_path / "root"
    (home / ".aliyun").mkdir(parents=True)
    profile = home / ".aliyun" / "config.json"
    key_id, secret = next((name, key["secret"]) for name, key in cloud.cloud.keys.items() if "role" not in key)
    profile.write_text(text.replace("ACCESS_KEY_ID", key_id).replace("ACCESS_KEY_SECRET", secret))
    for mode, is_taken in ((0o600, True), (0o622, False)):
        profile.chmod(mode)
        result = run(request(DEMO + "/a"), {**cloud.environment(), "HOME": str(home)}, config=OUTSIDE,
                     tmp_path=tmp_path)
        assert (result.status == 0) == is_taken, result.err
    assert caller(cloud) == key_id and cloud.log("metadata") == []


def test_variable_of_a_laptop():
    name, value = re.search(r"`(ALIBABA_CLOUD_ECS_METADATA_DISABLED)=(\w+)`", PAGE).groups()
    assert {name: value} == NO_METADATA
    assert call("get", DEMO, environment={name: value, **without_cache()}).status == 78


def test_flag_of_a_shorter_deadline(cloud):
    flag, = re.findall(r'args: \["(.*?)"\]', PAGE)
    run(request(DEMO + "/a"), cloud.environment(), [flag]).answer
