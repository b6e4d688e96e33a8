"""Run by the WebUI before it starts: adds the few small packages we need and it may lack.

Standard library only. It never touches what a host brings (gradio, torch, numpy, Pillow, requests
and the like), and whatever goes wrong costs one line: the WebUI starts all the same, and the tab
says what to run.
"""

import importlib.util
import subprocess
import sys

# Pure Python, without dependencies of their own; `--no-deps` keeps it that way.
PACKAGES = {'platformdirs': 'platformdirs>=4,<5', 'pathvalidate': 'pathvalidate>=3,<4'}


def missing() -> list[str]:
    """Return the requirements of those packages that cannot be imported here."""
    return [line for name, line in PACKAGES.items() if importlib.util.find_spec(name) is None]


def install(requirements: list[str]) -> str:
    """Install them; return '' or why that failed, in one line."""
    pip = [sys.executable, '-m', 'pip', 'install', '--disable-pip-version-check', '--no-deps']
    pip += ['--retries', '1', '--timeout', '15']  # a host waits for this at every start
    try:
        done = subprocess.run(pip + requirements, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return ''
    lines = done.stderr.decode('utf-8', 'replace').strip().splitlines()
    errors = [line for line in lines if line.startswith('ERROR')] or lines or ['no reason given']
    return errors[-1].replace('ERROR:', '').strip()


def main() -> None:
    """Install what is missing and say so in one line."""
    wanted = missing()
    if not wanted:
        return
    problem = install(wanted)
    if problem:
        print('Civitai Gallery: could not install %s: %s' % (' '.join(wanted), problem))
    else:
        print('Civitai Gallery: installed %s' % ' '.join(wanted))


if __name__ == '__main__':
    main()
