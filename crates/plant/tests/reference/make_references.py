#!/usr/bin/env python3
"""Independent reference solutions for the plant's tests.

Needs numpy and scipy. Writes one CSV per case beside this file: `t_s,f_pu,throttle_pu,tm_pu[,boost_pu]` every 20 ms,
and `cases.csv` with the parameters. Per unit on the machine's MVA.

Method: DOP853, rtol 1e-11, atol 1e-13. A dead time is solved by the method of steps: a segment is never longer than
the dead time, and the delayed throttle is read from the dense output of earlier segments. Segments end at load steps,
at limiter events (located by the solver's root finder) and one dead time after both. On a limit the throttle is the
limit itself (algebraic), including the moving ceiling of a turbocharger; no penalty terms.

Equations: swing 2H w' = Tm - PL - D (w-1), or with PL/w where te = 1; DEGOV1 and TGOV1 as in the PSS/E model library
(state form of PowerSimulationsDynamics.jl); turbo ceiling TAU B' = Tm - B, throttle <= min(TMAX, B + DT).
"""
import bisect
import os

import numpy as np
from scipy.integrate import solve_ivp

HERE = os.path.dirname(os.path.abspath(__file__))
GRID = 0.02
BASE = dict(T1=0.01, T2=0.02, T3=0.2, K=40.0, T4=0.25, T5=0.009, T6=0.0384, TD=0.024, TMAX=1.1, TMIN=0.0, R=0.0,
            H=1.07, D=0.0, te=0, P0=0.2, TAU=0.0, DT=0.0, t_event=1.0, P1=0.4, tf=6.0)
CASES = {
    "degov1_step25": dict(),
    "degov1_dead_time_23p7ms": dict(TD=0.0237),
    "degov1_dead_time_0p4ms": dict(TD=0.0004, tf=3.0),
    "degov1_droop_no_t5": dict(T5=0.0, R=0.05),
    "degov1_lag_box": dict(T1=0.05, T2=0.0, T3=0.08, K=12.0, R=0.04, D=0.5),
    "degov1_no_lags": dict(T1=0.0, T2=0.0, T3=0.0, K=18.0, T4=0.3, T5=0.0, T6=0.0, R=0.05),
    "degov1_saturating": dict(TMAX=0.82, P0=0.05, P1=0.8, tf=8.0),
    "degov1_reject": dict(TMIN=-0.1, P0=0.8, P1=0.0),
    "degov1_over_speed": dict(te=1, P0=0.2, P1=0.6, D=1.0),
    "degov1_turbo_step100": dict(P0=0.0, P1=0.8, TAU=1.5, DT=0.45, tf=8.0),
    "tgov1_valve_limit": dict(model=1, R=0.05, T1=0.1, T2=0.15, T3=0.5, TMAX=0.62, TMIN=0.0, TD=0.0, P0=0.2, P1=0.6,
                              H=1.0, Dt=0.3, D=0.0),
    "tgov1_over_speed": dict(model=1, R=0.05, T1=0.1, T2=0.15, T3=0.5, TMAX=1.0, TMIN=0.0, TD=0.0, P0=0.2, P1=0.6,
                             H=1.0, Dt=0.3, D=0.5, te=1),
}


def solve(p):
    degov = p.get("model", 0) == 0
    past = []          # (t0, t1, dense, mode) of finished segments
    starts = []

    # States: degov [w, x5, B, c1, c2, a1, a2]; tgov [w, a, B, q].
    def ceiling(y):
        return min(p["TMAX"], y[2] + p["DT"]) if p["TAU"] > 0 else p["TMAX"]

    def throttle(mode, y):
        return {"free": y[1], "upper": p["TMAX"], "lower": p["TMIN"], "turbo": y[2] + p["DT"]}[mode]

    def delayed(t):
        if t <= 0 or not past:
            return p["P0"]
        i = min(max(bisect.bisect_right(starts, t) - 1, 0), len(past) - 1)
        t0, t1, dense, mode = past[i]
        return throttle(mode, dense(min(max(t, t0), t1)))

    def engine(t, mode, y):
        if not degov:
            x = throttle(mode, y)
            return y[3] + p["T2"] / p["T3"] * (x - y[3]) - p["Dt"] * (y[0] - 1)
        return delayed(t - p["TD"]) if p["TD"] > 0 else throttle(mode, y)

    def right(t, y, mode, load):
        w, b = y[0], y[2]
        x = throttle(mode, y)
        out = engine(t, mode, y)
        tm = out / w if (p["te"] and not degov) else out
        dw = (tm - (load / w if p["te"] else load) - p["D"] * (w - 1)) / (2 * p["H"])
        db = (out - b) / p["TAU"] if p["TAU"] > 0 else 0.0
        d = np.zeros_like(y)
        d[0], d[2] = dw, db
        lim = {"upper": 0.0, "lower": 0.0, "turbo": db}.get(mode)
        if not degov:
            want = (p["P0"] - (w - 1) / p["R"] - x) / p["T1"]
            d[3] = (x - y[3]) / p["T3"]
        else:
            u = -(w - 1) - p["R"] * (x - p["P0"])
            if p["T1"] == 0:
                y1 = u
            elif p["T2"] == 0:
                d[3] = (u - y[3]) / p["T1"]
                y1 = y[3] + p["T3"] * d[3]
            else:
                d[3] = y[4]
                d[4] = (u - y[3] - p["T1"] * y[4]) / (p["T1"] * p["T2"])
                y1 = y[3] + p["T3"] * y[4]
            if p["T5"] > 0 and p["T6"] > 0:
                d[5] = y[6]
                d[6] = (y1 - y[5] - (p["T5"] + p["T6"]) * y[6]) / (p["T5"] * p["T6"])
                want = p["K"] * (y[5] + p["T4"] * y[6])
            elif p["T5"] + p["T6"] > 0:
                d[5] = (y1 - y[5]) / (p["T5"] + p["T6"])
                want = p["K"] * (y[5] + p["T4"] * d[5])
            else:  # T1 = 0 only: x5' = K (u + T4 u'), u' = -w' - R x5'
                assert p["T1"] == 0 and mode == "free"
                want = p["K"] * (u - p["T4"] * dw) / (1 + p["K"] * p["T4"] * p["R"])
        d[1] = want if mode == "free" else lim
        return d, want, db

    n = 7 if degov else 4
    y = np.zeros(n)
    y[0], y[1], y[2] = 1.0, p["P0"], p["P0"]
    if not degov:
        y[3] = p["P0"]
    mode, t, kinks = "free", 0.0, []
    times, rows = np.round(np.arange(0, p["tf"] + GRID / 2, GRID), 9), []
    k = 0

    def record(seg_end, dense, mode, last):
        nonlocal k
        while k < len(times) and (times[k] < seg_end or (last and times[k] <= seg_end + 1e-12)):
            s = dense(times[k])
            out = engine(times[k], mode, s)
            tm = out / s[0] if (p["te"] and not degov) else out
            rows.append((times[k], s[0], throttle(mode, s), tm, s[2]))
            k += 1

    while t < p["tf"] - 1e-13:
        load = p["P1"] if t >= p["t_event"] - 1e-13 else p["P0"]
        stop = p["tf"]
        if t < p["t_event"] - 1e-13:
            stop = min(stop, p["t_event"])
        if degov and p["TD"] > 0:
            stop = min(stop, t + p["TD"])
            for kink in kinks:
                if t + 1e-13 < kink + p["TD"] < stop:
                    stop = kink + p["TD"]
        f = lambda t, y: right(t, y, mode, load)[0]
        events = []

        def event(g):
            g.terminal, g.direction = True, 1
            events.append(g)

        if mode == "free":
            # A hair beyond, so that a throttle at rest on a limit, or just released, is no event.
            event(lambda t, y: y[1] - ceiling(y) - 1e-13)
            event(lambda t, y: p["TMIN"] - y[1] - 1e-13)
        elif mode == "upper":
            event(lambda t, y: -right(t, y, mode, load)[1])
            if p["TAU"] > 0:
                event(lambda t, y: p["TMAX"] - y[2] - p["DT"])
        elif mode == "lower":
            event(lambda t, y: right(t, y, mode, load)[1])
        else:
            event(lambda t, y: right(t, y, mode, load)[2] - right(t, y, mode, load)[1])
            event(lambda t, y: y[2] + p["DT"] - p["TMAX"])
        sol = solve_ivp(f, (t, stop), y, method="DOP853", rtol=1e-11, atol=1e-13, events=events, dense_output=True,
                        max_step=0.01)
        assert sol.success, sol.message
        end = sol.t[-1]
        record(end, sol.sol, mode, end >= p["tf"] - 1e-13)
        past.append((t, end, sol.sol, mode))
        starts.append(t)
        t, y = end, sol.y[:, -1].copy()
        y[1] = throttle(mode, y)
        if sol.status == 1:
            which = next(i for i, e in enumerate(sol.t_events) if len(e))
            kinks.append(t)
            if mode == "free" and which == 0:
                mode = "turbo" if p["TAU"] > 0 and y[2] + p["DT"] < p["TMAX"] else "upper"
            elif mode == "free":
                mode = "lower"
            elif mode == "upper" and which == 1:
                mode = "turbo"
            elif mode == "turbo" and which == 1:
                mode = "upper"
            else:
                mode = "free"
        if abs(t - p["t_event"]) < 1e-12:
            kinks.append(t)
    return rows


def main():
    keys = [k for k in BASE] + ["model", "Dt"]
    with open(os.path.join(HERE, "cases.csv"), "w") as out:
        out.write("name," + ",".join(keys) + "\n")
        for name, change in CASES.items():
            p = {**BASE, "model": 0, "Dt": 0.0, **change}
            out.write(name + "," + ",".join(repr(float(p[k])) for k in keys) + "\n")
            rows = solve(p)
            with open(os.path.join(HERE, name + ".csv"), "w") as csv:
                boost = p["TAU"] > 0
                csv.write("t_s,f_pu,throttle_pu,tm_pu" + (",boost_pu" if boost else "") + "\n")
                for row in rows:
                    csv.write(f"{row[0]:.10g}," + ",".join(f"{v:.11g}" for v in row[1:5 if boost else 4]) + "\n")
            f = [r[1] for r in rows]
            print(f"{name}: {len(rows)} rows, nadir {min(f):.9f}, peak {max(f):.9f}, end {f[-1]:.9f}")


if __name__ == "__main__":
    main()
