"""What a sample costs one number at a time, in arrays and in compiled loops: python examples/engines.py"""

import argparse

import chainrule as cr
from chainrule.speeds import ENGINES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="least time to measure each engine")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    given = parser.parse_args()
    print(cr.compare_engines(engines=given.engines, seconds=given.seconds))


if __name__ == "__main__":
    main()
