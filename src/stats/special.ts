import betainc from "@stdlib/math-base-special-betainc";
import betaincinv from "@stdlib/math-base-special-betaincinv";
import erfc from "@stdlib/math-base-special-erfc";
import erfcinv from "@stdlib/math-base-special-erfcinv";
import gammainc from "@stdlib/math-base-special-gammainc";
import gammaincinv from "@stdlib/math-base-special-gammaincinv";
import gammaln from "@stdlib/math-base-special-gammaln";

/** Special functions, all in forms that keep their digits in the tails. The one place that names the library. */

/** The complementary error function and its inverse. */
export { erfc, erfcinv };
/** The natural logarithm of the gamma function. */
export const logGamma = (x: number): number => gammaln(x);
/** Regularised incomplete gamma P(s, x), or with `upper` Q(s, x). */
export const gammaP = (s: number, x: number, upper: boolean): number => gammainc(x, s, true, upper);
/** x where P(s, x), or with `upper` Q(s, x), is p. */
export const gammaInverse = (s: number, p: number, upper: boolean): number => gammaincinv(p, s, upper);
/** Regularised incomplete beta I_x(a, b), or with `upper` 1 − I_x(a, b) without the subtraction. */
export const betaI = (x: number, a: number, b: number, upper: boolean): number => betainc(x, a, b, true, upper);
/** x where I_x(a, b), or with `upper` 1 − I_x(a, b), is p. */
export const betaInverse = (p: number, a: number, b: number, upper: boolean): number => betaincinv(p, a, b, upper);
