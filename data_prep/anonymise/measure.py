import re,sys,time

from collections import Counter
from data_prep.anonymise.patterned import patterned_recognisers
from data_prep.anonymise.names import PersonalName
from data_prep.anonymise.places import Institution,Address
FOLD={0xff01+i:0x21+i for i in range(94)}
R=[*patterned_recognisers(),PersonalName(),Institution(),Address()]
def find(t):
    f=t.translate({k:v for k,v in FOLD.items() if chr(v).isalnum() or chr(v) in '+@-'})
    rs=[r for x in R for r in x.analyze(f,x.supported_entities,None)]
    rs.sort(key=lambda r:(-r.score,-(r.end-r.start),r.start)); out=[]
    for r in rs:
        if all(r.end<=o.start or r.start>=o.end for o in out): out.append(r)
    return sorted((o.start,o.end,o.entity_type) for o in out)
def parse(l):
    t='';g=[];p=0
    for m in re.finditer(r'\[\[(.+?)\|(.+?)\]\]',l):
        t+=l[p:m.start()]; g.append((len(t),len(t)+len(m[2]),m[1])); t+=m[2]; p=m.end()
    return t+l[p:],g
def main(path,show):
    tp,fp,fn=Counter(),Counter(),Counter(); n=0;t0=time.time()
    for l in open(path,encoding='utf-8'):
        l=l.rstrip('\n')
        if not l: continue
        t,g=parse(l); p=find(t); n+=len(t)
        loose={'姓名','学校','单位','地址'}
        def hit(a,b): return a[2]==b[2] and (a[:2]==b[:2] if a[2] not in loose else min(a[1],b[1])-max(a[0],b[0])>=0.8*max(a[1]-a[0],b[1]-b[0]))
        for x in g:
            if any(hit(x,y) for y in p): tp[x[2]]+=1
            else:
                fn[x[2]]+=1
                if show in('all',x[2]): print('FN',x[2],t[x[0]:x[1]],'|',t[max(0,x[0]-12):x[1]+8],'| got',[t[a:b]+'/'+k for a,b,k in p if a<x[1] and b>x[0]])
        for y in p:
            if not any(hit(x,y) for x in g):
                fp[y[2]]+=1
                if show in('all',y[2]): print('FP',y[2],t[y[0]:y[1]],'|',t[max(0,y[0]-10):y[1]+8])
    print(n,'chars',round(time.time()-t0,2),'s')
    for k in '电话 身份证 银行卡 邮箱 QQ 微信 网址 车牌 姓名 学校 单位 地址'.split(): print(k,'R %.3f P %.3f'%(tp[k]/max(1,tp[k]+fn[k]),tp[k]/max(1,tp[k]+fp[k])),tp[k],fn[k],fp[k])
main(sys.argv[1],sys.argv[2] if len(sys.argv)>2 else '')
