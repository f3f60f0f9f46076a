"""What is shipped."""

import subprocess
import sys
import zipfile


def test_wheel_holds_the_package_and_its_licence(repository, tmp_path):
    """The wheel carries the package, its licence and nothing else of the tree."""
    arguments = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(arguments, cwd=repository, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert {"lighterman", "lighterman-0.1.0.dist-info"} == {name.split("/")[0] for name in names}
    assert "lighterman-0.1.0.dist-info/licenses/LICENSE" in names
    assert "lighterman/py.typed" in names
    assert [] == [
        name for name in names if name.startswith("lighterman/") and not name.endswith((".py", ".json", "py.typed"))
    ]
