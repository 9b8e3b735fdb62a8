"""Expected values of the tests in src/operating_point.rs.

A one-sided normal tolerance limit, mean + k * standard deviation, lies with confidence c above the share p of a normal
population; k is the c quantile of the noncentral t distribution with n - 1 degrees of freedom and noncentrality
z(p) * sqrt(n), divided by sqrt(n) (Odeh and Owen 1980). Ran with Python 3, SciPy 1.17.1:

    python3 tolerance_reference.py
"""

from math import sqrt

from scipy.stats import nct, norm

P, C = 0.98, 0.95
for n in [20, 30, 60, 120, 1000]:
    print(n, round(nct.ppf(C, n - 1, norm.ppf(P) * sqrt(n)) / sqrt(n), 4))
